"""What the setup page says, in plain words."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.adapters.store.states import CrmState, GoogleAppState
from webhook_receiver.own_deliveries import Arrival


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A word for a state, its colour, and what to do about it."""

    word: str
    tone: str
    text: str


MISSING = State(
    word="Not set up",
    tone="warn",
    text="Follow the steps, then enter the client ID and the client secret.",
)
GOOGLE_APP: Mapping[str, State] = {
    GoogleAppState.UNCHECKED: State(
        word="Not checked yet",
        tone="warn",
        text="Check the credentials: Google then says whether it accepts them.",
    ),
    GoogleAppState.ACCEPTED: State(
        word="Accepted",
        tone="good",
        text=(
            "Google accepts the client ID, the secret and the redirect URI. Connect "
            "once to see that a consent goes through."
        ),
    ),
    GoogleAppState.VERIFIED: State(
        word="Working",
        tone="good",
        text="A consent went through. Users can connect their calendars.",
    ),
    GoogleAppState.REFUSED: State(
        word="Client ID or secret wrong",
        tone="bad",
        text=(
            "Google does not accept this client ID with this secret. Copy both anew "
            "from your client in the Google Cloud Console; a secret that was deleted "
            "there needs a new one."
        ),
    ),
    GoogleAppState.REDIRECT_REFUSED: State(
        word="Redirect URI not registered",
        tone="bad",
        text=(
            "The client ID and secret are right, but Google does not know our redirect "
            "URI. Copy it from below into the client's “Authorized redirect URIs”, "
            "exactly as it is. Google may need five minutes to notice."
        ),
    ),
    GoogleAppState.API_DISABLED: State(
        word="Calendar API switched off",
        tone="bad",
        text=(
            "Google accepts the app, but the Google Calendar API is switched off in "
            "its project. Enable it there (step 2). The sync goes on by itself within "
            "five minutes, or at once when you check the credentials."
        ),
    ),
}

CRM: Mapping[str, State] = {
    CrmState.UNCHECKED: State(
        word="Not checked yet",
        tone="warn",
        text="Check it: the CRM is asked for its users then.",
    ),
    CrmState.CHECKING: State(
        word="Being checked",
        tone="info",
        text="The CRM is being asked for its users. Reload the page in a moment.",
    ),
    CrmState.VERIFIED: State(
        word="Working", tone="good", text="The CRM has answered with its users."
    ),
    CrmState.KEY_REFUSED: State(
        word="Key refused",
        tone="bad",
        text="The CRM answers, but does not know the key. Enter the key anew.",
    ),
    CrmState.FORBIDDEN: State(
        word="Permission missing",
        tone="bad",
        text=(
            "The CRM does not let this key read its users. Give the key the "
            "permissions View, Create and Edit for tasks, or use another key."
        ),
    ),
    CrmState.NOT_FOUND: State(
        word="Wrong address",
        tone="bad",
        text=(
            "Something answers at this address, but it has no list of users. The "
            "address ends in /api/v1 as a rule."
        ),
    ),
    CrmState.UNREACHABLE: State(
        word="Not reachable",
        tone="bad",
        text=(
            "Nothing answers at this address as the CRM's API would. Check the "
            "address, and whether the CRM is running."
        ),
    ),
}

DELIVERIES: Mapping[str, str] = {
    Arrival.ACCEPTED: (
        "The test delivery arrived at the webhook address, its signature was accepted, "
        "and the queue takes messages."
    ),
    Arrival.SIGNATURE_REFUSED: (
        "The test delivery arrived, but its signature was refused. Something between "
        "here and there changes deliveries, or the clocks are more than five minutes "
        "apart."
    ),
    Arrival.NOT_QUEUED: (
        "The test delivery arrived, but could not have been queued: the queue does not "
        "answer. Your operator can mend that."
    ),
    Arrival.REDIRECTED: (
        "The webhook address leads to another address, and webhooks do not follow. "
        "Your operator has to correct the public address of this service."
    ),
    Arrival.ELSEWHERE: (
        "Something else answers at the webhook address. Your operator has to lead the "
        "public address to this service."
    ),
    Arrival.UNREACHABLE: (
        "Nothing answers at the webhook address. Either the public address of this "
        "service is wrong, or its certificate is, or a firewall is in the way."
    ),
}
