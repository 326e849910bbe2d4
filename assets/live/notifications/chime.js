// Chime: a soft sound of two tones.

const TONES = [[0, 660], [0.12, 880]];
// Browsers allow sound only after a person has done something on the page; which of these counts
// differs between them.
const GESTURES = ["pointerdown", "pointerup", "keydown"];

let audio = null;

/** Make the sound, once a person has done something on this page. */
export function chime() {
  if (audio?.state !== "running") return;
  for (const [delay, pitch] of TONES) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const start = audio.currentTime + delay;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.0001, start);
    volume.gain.exponentialRampToValueAtTime(0.06, start + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.3);
    tone.connect(volume).connect(audio.destination);
    tone.start(start);
    tone.stop(start + 0.35);
  }
}

/** Let each gesture on this page allow the sound, also after the device has paused it. */
export function unlockSound() {
  const unlock = async () => {
    if (audio?.state === "running") return;
    try {
      audio ??= new window.AudioContext();
      await audio.resume();
    } catch {
      // This browser or this device makes no sound, or not for this gesture.
    }
  };
  for (const gesture of GESTURES) {
    window.addEventListener(gesture, unlock, { capture: true, passive: true });
  }
}
