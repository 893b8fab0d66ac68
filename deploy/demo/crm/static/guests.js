// The list of attendees in the dialog.

const ANSWERS = {
  accepted: ["✓", "is going"],
  tentative: ["?", "may be going"],
  declined: ["✗", "is not going"],
  needs_action: ["·", "has not answered"],
};

export class Guests {
  constructor() {
    this.list = document.getElementById("guests");
    this.email = document.querySelector('[name="guest"]');
    this.name = document.querySelector('[name="guestName"]');
    this.guests = [];
    document.getElementById("guest-add").addEventListener("click", () => this.add());
    for (const field of [this.email, this.name]) {
      field.addEventListener("keydown", (event) => {
        if (event.key === "Enter") {
          event.preventDefault();
          this.add();
        }
      });
    }
  }

  show(guests) {
    this.guests = guests;
    this.email.value = "";
    this.name.value = "";
    this.draw();
  }

  /** Take what was typed, if it is an address; returns false when it is not. */
  add() {
    const email = this.email.value.trim().toLowerCase();
    const name = this.name.value.trim() || null;
    if (!email && !name) {
      return true;
    }
    if (!email || !this.email.checkValidity()) {
      this.email.setCustomValidity(email ? "" : "Give the attendee's address.");
      this.email.reportValidity();
      this.email.setCustomValidity("");
      return false;
    }
    if (!this.guests.some((guest) => guest.email === email)) {
      this.guests = [...this.guests, { email, name, response: "needs_action" }];
    }
    this.email.value = "";
    this.name.value = "";
    this.draw();
    return true;
  }

  remove(email) {
    this.guests = this.guests.filter((guest) => guest.email !== email);
    this.draw();
    this.email.focus();
  }

  draw() {
    this.list.replaceChildren(...this.guests.map((guest) => this.row(guest)));
  }

  row(guest) {
    const [mark, words] = ANSWERS[guest.response ?? "needs_action"];
    const row = document.createElement("li");
    const sign = document.createElement("span");
    sign.className = "guest-mark";
    sign.dataset.response = guest.response;
    sign.textContent = mark;
    sign.ariaHidden = "true";
    const name = document.createElement("span");
    name.className = "guest-name";
    name.textContent = guest.name ? `${guest.name} (${guest.email})` : guest.email;
    const answer = document.createElement("span");
    answer.className = "guest-answer";
    answer.textContent = words;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button-icon";
    button.textContent = "×";
    button.ariaLabel = `Remove ${guest.email}`;
    button.addEventListener("click", () => this.remove(guest.email));
    row.append(sign, name, answer, button);
    return row;
  }
}
