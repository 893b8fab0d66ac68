// What the page says: short notices that go away, and alerts that stay until closed
// or until something else succeeded.

const NOTICE_MILLISECONDS = 4000;

const find = (id) => document.getElementById(id);
let timer;

export function tell(message) {
  clearTimeout(timer);
  find("status").textContent = message;
  find("status").hidden = false;
  timer = setTimeout(() => {
    find("status").hidden = true;
  }, NOTICE_MILLISECONDS);
}

export function alertPerson(message) {
  find("alert-text").textContent = message;
  find("alert").hidden = false;
}

export function closeAlert() {
  find("alert").hidden = true;
}

find("alert-close").addEventListener("click", closeAlert);
