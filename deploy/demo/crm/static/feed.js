// What a user sees, kept up to date.

import { ask } from "./api.js";
import { DAY, dayText, dayOf } from "./time.js";

const DAYS_BACK = 30;
const DAYS_AHEAD = 60;

export class Feed {
  constructor(user) {
    this.user = user;
    this.whose = "own";
    this.tasks = [];
    this.messages = [];
    this.forget();
  }

  /** Show the days around one. */
  around(wall) {
    this.first = dayOf(wall) - DAYS_BACK * DAY;
    this.last = dayOf(wall) + DAYS_AHEAD * DAY;
    this.forget();
  }

  showMore({ back = 0, ahead = 0 }) {
    this.first -= back * DAY;
    this.last += ahead * DAY;
    this.forget();
  }

  show(whose) {
    this.whose = whose;
    this.forget();
  }

  /** Load everything the next time. */
  forget() {
    this.mark = "";
  }

  /** Load what is new; says whether anything was. */
  async follow() {
    const { user, whose, first, last, mark } = this;
    const query = { user, whose, from: dayText(first), to: dayText(last), seen: mark };
    const seen = await ask("GET", "tasks", { query });
    // What was asked for may have changed meanwhile; the next call asks for that.
    if (!seen || whose !== this.whose || first !== this.first || last !== this.last) {
      return false;
    }
    this.tasks = seen.tasks;
    this.messages = seen.messages;
    this.mark = seen.mark;
    return true;
  }
}
