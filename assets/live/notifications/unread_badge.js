// Unread badge: the unread count in the tab's title and icon; the title also names the open
// conversation's patient and the clinic: "(3) Helena · Clínica Aurora".

import { safely } from "../lib/safely.js";
import { isName } from "../lib/text.js";

const PRODUCT = "Clinic Chat";
const ICON_PX = 64;

// What arrives and is read at once leaves the icon alone; drawing it would delay the message.
const SETTLED_MS = 300;

let shown = null;
let place = PRODUCT;
let badged = null;
let settled = null;
let badge = "";

/** Show the number of unread conversations, 0 for none. */
export function showUnread(number) {
  if (number === shown) return;
  shown = number;
  safely(showTitle);
  window.clearTimeout(settled);
  settled = window.setTimeout(() => safely(showIcon), SETTLED_MS);
}

/** Set the title to the clinic and the open conversation's patient; "" for none. */
export function entitle(clinic, patient) {
  // The first name alone: titles stay in the browser's history, and who stands behind reads them.
  const first = patient && isName(patient) ? patient.split(" ")[0] : "";
  place = [first, clinic || PRODUCT].filter(Boolean).join(" · ");
  safely(showTitle);
}

function showTitle() {
  document.title = shown > 0 ? `(${shown > 99 ? "99+" : shown}) ${place}` : place;
}

function showIcon() {
  if (badged === shown > 0) return;
  badged = shown > 0;
  const link = document.querySelector("link[rel=icon]");
  link.type = badged ? "image/png" : "image/svg+xml";
  link.href = badged ? (badge ||= drawn()) : "/favicon.svg";
}

function drawn() {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = ICON_PX;
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#29a383";
  pen.beginPath();
  roundedRectangle(pen, 0, 0, ICON_PX, ICON_PX, 18);
  pen.fill();
  pen.fillStyle = "#fff";
  pen.beginPath();
  roundedRectangle(pen, 14, 20, 30, 20, 5);
  pen.fill();
  pen.fillStyle = "#e5484d";
  pen.beginPath();
  pen.arc(46, 18, 16, 0, 2 * Math.PI);
  pen.fill();
  return canvas.toDataURL("image/png");
}

// Firefox before 112 and Safari before 16 have no roundRect.
function roundedRectangle(pen, x, y, width, height, radius) {
  const [right, bottom] = [x + width, y + height];
  pen.moveTo(x + radius, y);
  pen.arcTo(right, y, right, bottom, radius);
  pen.arcTo(right, bottom, x, bottom, radius);
  pen.arcTo(x, bottom, x, y, radius);
  pen.arcTo(x, y, right, y, radius);
}
