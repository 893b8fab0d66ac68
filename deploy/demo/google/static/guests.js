// The list of guests in the dialog.

const ANSWERS = {
  accepted: ["✓", "is going"],
  tentative: ["?", "may be going"],
  declined: ["✗", "is not going"],
  needsAction: ["·", "has not answered"],
};

export class Guests {
  constructor(onChange) {
    this.list = document.getElementById("guests");
    this.field = document.querySelector('[name="guest"]');
    this.onChange = onChange;
    this.guests = [];
    document.getElementById("guest-add").addEventListener("click", () => this.add());
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        event.preventDefault();
        this.add();
      }
    });
  }

  show(guests, { isEditable }) {
    this.guests = guests;
    this.isEditable = isEditable;
    this.field.value = "";
    this.field.closest(".guest-add").hidden = !isEditable;
    this.draw();
  }

  /** Take what was typed, if it is an address; returns false when it is not. */
  add() {
    const email = this.field.value.trim().toLowerCase();
    if (!email) {
      return true;
    }
    if (!this.field.checkValidity()) {
      this.field.reportValidity();
      return false;
    }
    if (!this.guests.some((guest) => guest.email === email)) {
      this.guests = [...this.guests, { email }];
    }
    this.field.value = "";
    this.draw();
    return true;
  }

  remove(email) {
    this.guests = this.guests.filter((guest) => guest.email !== email);
    this.draw();
    this.field.focus();
  }

  draw() {
    this.list.replaceChildren(...this.guests.map((guest) => this.row(guest)));
    this.onChange(this.guests);
  }

  row(guest) {
    const [mark, words] = ANSWERS[guest.responseStatus ?? "needsAction"];
    const row = document.createElement("li");
    const sign = document.createElement("span");
    sign.className = "guest-mark";
    sign.dataset.response = guest.responseStatus ?? "needsAction";
    sign.textContent = mark;
    sign.ariaHidden = "true";
    const name = document.createElement("span");
    name.className = "guest-name";
    name.textContent = guest.displayName ?? guest.email;
    const answer = document.createElement("span");
    answer.className = "guest-answer";
    answer.textContent = guest.organizer ? `organizer, ${words}` : words;
    row.append(sign, name, answer);
    if (this.isEditable && !guest.organizer && !guest.self) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button button-icon";
      button.textContent = "×";
      button.ariaLabel = `Remove ${guest.email}`;
      button.addEventListener("click", () => this.remove(guest.email));
      row.append(button);
    }
    return row;
  }
}
