"""What the queries on organizations, users and connections must do everywhere."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.adapters.store import Store
from shared.domain import errors, model
from tests import store_rows

ANN = model.User(
    id="u1", email=model.Address("ann@acme.example"), name="Ann", time_zone="Asia/Tokyo"
)
LATEST = store_rows.LATER + timedelta(hours=1)
BOB = model.User(id="u2", email=model.Address("bob@acme.example"))


class PartiesContract(store_rows.StoreFixture):
    """Organizations, users and connections."""

    def test_organizations_are_listed_by_name(self, store: Store) -> None:
        with store.begin() as work:
            for name in ("beta", "acme"):
                store_rows.add_organization(work, name)

            assert [row.name for row in work.organizations.all()] == ["acme", "beta"]
            assert work.organizations.by_name("gamma") is None

    def test_a_due_poll_of_a_crm_is_claimed_once(self, store: Store) -> None:
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            work.commit()

        def claim(_: int) -> bool:
            with store.begin() as work:
                claimed = work.organizations.claim_poll(
                    acme.id, now=store_rows.LATER, before=store_rows.NOW
                )
                work.commit()
                return claimed

        assert sorted(map(bool, store_rows.at_once(4, claim))) == [
            False,
            False,
            False,
            True,
        ]

    def test_connections_are_found_by_what_their_users_are_called(
        self, store: Store
    ) -> None:
        with store.begin() as work:
            acme, other = (
                store_rows.add_organization(work, name) for name in ("acme", "other")
            )
            work.users.replace_all(acme.id, [ANN, BOB])
            store_rows.add_connection(work, other, "u1", google_address="ann@x.example")
            ann = store_rows.add_connection(work, acme, "u1")
            bob = store_rows.add_connection(work, acme, "u2", google_address="b@x.y")

            def found(text: str) -> list[int]:
                rows = work.connections.of_anybody_like(acme.id, text)
                return [row.id for row in rows]

            assert found("aNN") == found("u1") == [ann.id]
            assert found("b@x") == [bob.id]
            assert found("acme.example") == [ann.id, bob.id]
            assert found("%") == found("u") == []
            assert len(work.connections.of_anybody_like(acme.id, "acme", limit=1)) == 1

    def test_users_are_replaced_by_those_the_crm_lists(self, store: Store) -> None:
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            work.users.replace_all(acme.id, [ANN, BOB])
            work.users.replace_all(acme.id, [replace(ANN, name="Anne")])

            ann = work.users.of(acme.id, "u1")
            assert ann is not None
            assert (ann.email, ann.name, ann.time_zone, ann.active) == (
                "ann@acme.example",
                "Anne",
                "Asia/Tokyo",
                True,
            )
            assert work.users.of(acme.id, "u2") is None

    def test_a_user_who_is_listed_twice_is_one_user(self, store: Store) -> None:
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            work.users.replace_all(acme.id, [ANN, BOB, replace(ANN, name="Anne")])

            ann = work.users.of(acme.id, "u1")
            assert ann is not None
            assert ann.name == "Anne"

    def test_users_of_another_organization_stay(self, store: Store) -> None:
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            beta = store_rows.add_organization(work, "beta")
            work.users.replace_all(beta.id, [ANN])
            work.users.replace_all(acme.id, [])

            assert work.users.of(beta.id, "u1") is not None

    def test_of_users_with_one_address_the_active_one_is_found(
        self, store: Store
    ) -> None:
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            left = replace(BOB, email=ANN.email, id="u0", active=False)
            work.users.replace_all(acme.id, [left, ANN])

            found = work.users.by_email(acme.id, "ann@acme.example")
            assert found is not None
            assert found.user_id == "u1"
            assert work.users.by_email(acme.id, "nobody@acme.example") is None

    def test_users_match_by_id_and_by_the_address_on_either_side(
        self, store: Store
    ) -> None:
        carl = model.User(id="u3", email=model.Address("carl@acme.example"))
        dora = model.User(id="u4", email=model.Address("dora@acme.example"))
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            work.users.replace_all(acme.id, [ANN, BOB, carl, dora])
            store_rows.add_connection(
                work, acme, "u2", google_address="bob@gmail.example"
            )

            found = work.users.matching(
                acme.id, ids={"u1"}, addresses={"bob@gmail.example", carl.email}
            )
            bob = replace(BOB, google=model.Address("bob@gmail.example"))
            assert found == [ANN, bob, carl]

    def test_a_connection_is_found_by_its_user_whatever_its_state(
        self, store: Store
    ) -> None:
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            row = store_rows.add_connection(work, acme, "u1", state="disconnected")

            assert work.connections.of_user(acme.id, "u1") is row
            assert work.connections.of_user(acme.id, "u2") is None

    def test_a_user_has_one_connection(self, store: Store) -> None:
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            store_rows.add_connection(work, acme, "u1")
            work.commit()

        with pytest.raises(errors.RecordBusyError), store.begin() as work:
            store_rows.add_connection(work, acme, "u1")

    def test_a_google_account_is_found_where_it_is_active(self, store: Store) -> None:
        address = "shared@gmail.example"
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            for user, state in (("u1", "disconnected"), ("u2", "active")):
                store_rows.add_connection(
                    work, acme, user, state=state, google_address=address
                )

            found = work.connections.of_google_address(acme.id, address)
            assert found is not None
            assert found.crm_user_id == "u2"

    def test_active_connections_are_listed(self, store: Store) -> None:
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            beta = store_rows.add_organization(work, "beta")
            first = store_rows.add_connection(work, acme, "u1")
            store_rows.add_connection(work, acme, "u2", state="paused")
            other = store_rows.add_connection(work, beta, "u1")

            assert work.connections.active_of(acme.id) == [first]
            assert work.connections.all_active() == [first, other]

    def test_the_paused_connection_probed_longest_ago_is_next(
        self, store: Store
    ) -> None:
        paused = {"state": "paused", "problem": "client_refused"}
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            beta = store_rows.add_organization(work, "beta")
            for user, probed_at in (("u1", LATEST), ("u2", store_rows.LATER)):
                store_rows.add_connection(
                    work, acme, user, probed_at=probed_at, **paused
                )
            earliest = store_rows.add_connection(
                work, acme, "u3", probed_at=store_rows.NOW, **paused
            )
            store_rows.add_connection(work, acme, "u4", state="paused")
            store_rows.add_connection(work, acme, "u5", problem="client_refused")
            store_rows.add_connection(work, beta, "u1", **paused)
            find = work.connections.to_probe

            assert find(acme.id, LATEST) == earliest
            never = store_rows.add_connection(work, acme, "u6", **paused)
            assert find(acme.id, LATEST) == never
            never.probed_at = earliest.probed_at = LATEST
            assert find(acme.id, store_rows.NOW) is None

    def test_connections_whose_end_was_begun_long_ago_are_found(
        self, store: Store
    ) -> None:
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            for user, columns in (
                ("u1", {"state": "paused", "probed_at": store_rows.NOW}),
                ("u2", {"state": "paused", "probed_at": LATEST}),
                ("u3", {"state": "active", "probed_at": store_rows.NOW}),
                (
                    "u4",
                    {
                        "state": "paused",
                        "problem": "client_refused",
                        "probed_at": store_rows.NOW,
                    },
                ),
            ):
                store_rows.add_connection(work, acme, user, **columns)

            found = work.connections.leaving(store_rows.LATER)
            assert [row.crm_user_id for row in found] == ["u1"]

    def test_probes_are_claimed_together_and_once(self, store: Store) -> None:
        paused = {"state": "paused", "problem": "client_refused"}
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            never = store_rows.add_connection(work, acme, "u1", **paused)
            probed = store_rows.add_connection(
                work, acme, "u2", probed_at=LATEST, **paused
            )
            store_rows.add_connection(work, acme, "u3")
            claim = work.connections.claim_probes

            assert claim(acme.id, now=LATEST, before=store_rows.LATER) == [never]
            assert claim(acme.id, now=LATEST, before=LATEST) == []
            work.connections.probe_soon(acme.id)
            again = claim(acme.id, now=LATEST, before=LATEST)
            assert sorted(row.id for row in again) == [never.id, probed.id]

    def test_a_probe_of_an_organization_is_claimed_once(self, store: Store) -> None:
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            now, before = store_rows.LATER, store_rows.NOW
            claim = work.organizations.claim_probe

            assert claim(acme.id, now=now, before=before)
            assert not claim(acme.id, now=now, before=before)
            assert claim(acme.id, now=now, before=now)

    def test_pages_go_from_the_newest_to_the_oldest(self, store: Store) -> None:
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            rows = [store_rows.add_connection(work, acme, f"u{n}") for n in "123"]

            first = work.connections.page(acme.id, limit=2)
            second = work.connections.page(acme.id, limit=2, cursor=first.next_cursor)
            mine = work.connections.page(acme.id, crm_user_id="u2", limit=2)

        assert (first.rows, second.rows) == ([rows[2], rows[1]], [rows[0]])
        assert (second.next_cursor, mine.rows) == (None, [rows[1]])

    @pytest.mark.parametrize("cursor", ["", "x", "-1", "0", "1.5", "9" * 19, "\u0663"])
    def test_a_cursor_that_no_page_gave_is_refused(
        self, store: Store, cursor: str
    ) -> None:
        with store.begin() as work, pytest.raises(ValueError, match="cursor: must be"):
            work.connections.page(1, limit=2, cursor=cursor)
