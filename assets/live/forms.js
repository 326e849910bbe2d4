// Plain form posts behind menu items.

export function submitForm(id) {
  document.getElementById(id).requestSubmit();
}

export function switchClinic(slug) {
  document.getElementById("switch-clinic-slug").value = slug;
  submitForm("switch-clinic");
}
