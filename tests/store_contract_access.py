"""What the queries on conflicts, dead letters and sign-in must do everywhere."""

import pytest

from shared.adapters.store import Store, tables
from shared.adapters.store.states import ConflictState
from shared.domain import errors
from tests import store_rows


class ConflictsContract(store_rows.OrganizationFixture):
    """Conflicts that wait for a user."""

    @staticmethod
    def flag(store: Store, acme: tables.Organization, link_id: int) -> int:
        """Open a conflict of a link."""
        with store.begin() as work:
            row = work.conflicts.add(
                tables.Conflict(
                    organization_id=acme.id,
                    link_id=link_id,
                    crm_user_id="u1",
                    fields=["title"],
                    crm={"title": "A"},
                    google={"title": "B"},
                    created_at=store_rows.NOW,
                    updated_at=store_rows.NOW,
                )
            )
            work.commit()
        return row.id

    @pytest.fixture
    def link_id(self, store: Store, acme: tables.Organization) -> int:
        """Return the id of a link."""
        with store.begin() as work:
            link = store_rows.add_link(work, acme)
            work.commit()
        return link.id

    def test_a_link_has_one_open_conflict(
        self, store: Store, acme: tables.Organization, link_id: int
    ) -> None:
        self.flag(store, acme, link_id)

        with pytest.raises(errors.RecordBusyError):
            self.flag(store, acme, link_id)

    def test_a_link_may_have_another_conflict_once_it_is_resolved(
        self, store: Store, acme: tables.Organization, link_id: int
    ) -> None:
        first = self.flag(store, acme, link_id)
        with store.begin() as work:
            work.conflicts.resolve(link_id, now=store_rows.LATER)
            work.conflicts.resolve(link_id, now=store_rows.LATER)
            work.commit()
        second = self.flag(store, acme, link_id)

        with store.begin() as work:
            opened = work.conflicts.open_of_link(link_id)
            resolved = work.conflicts.by_id(first)
        assert opened is not None
        assert opened.id == second
        assert (resolved.state, resolved.resolved_at) == ("resolved", store_rows.LATER)

    def test_conflicts_are_filtered_by_state_and_user(
        self, store: Store, acme: tables.Organization, link_id: int
    ) -> None:
        row_id = self.flag(store, acme, link_id)

        with store.begin() as work:
            page = work.conflicts.page
            everything = page(acme.id, limit=5).rows
            mine = page(acme.id, state=ConflictState.OPEN, crm_user_id="u1", limit=5)
            others = page(acme.id, crm_user_id="u2", limit=5)
            resolved = page(acme.id, state=ConflictState.RESOLVED, limit=5)

        assert [row.id for row in everything] == [row_id]
        assert len(mine.rows) == 1
        assert (others.rows, resolved.rows) == ([], [])


class DeadLettersContract(store_rows.OrganizationFixture):
    """Messages that failed for good."""

    @staticmethod
    def file(
        store: Store,
        organization_id: int | None,
        delivery_id: str,
        *,
        reason: str = "mapping",
    ) -> int:
        """File a dead letter."""
        with store.begin() as work:
            row = work.dead_letters.file(
                tables.DeadLetter(
                    organization_id=organization_id,
                    delivery_id=delivery_id,
                    queue="records",
                    reason=reason,
                    error="event e1: no start",
                    event_id="e1",
                    attempts=1,
                    message="{}",
                    created_at=store_rows.NOW,
                )
            )
            work.commit()
        return row.id

    def test_a_delivery_that_fails_again_is_filed_once(
        self, store: Store, acme: tables.Organization
    ) -> None:
        first = self.file(store, acme.id, "d1")
        second = self.file(store, acme.id, "d1", reason="delivery_limit")

        with store.begin() as work:
            (row,) = work.dead_letters.page(acme.id, limit=5).rows
        assert first == second == row.id
        assert row.reason == "delivery_limit"

    def test_dead_letters_are_filtered(
        self, store: Store, acme: tables.Organization
    ) -> None:
        mine = self.file(store, acme.id, "d1")
        nobodys = self.file(store, None, "d2", reason="message_decode")

        with store.begin() as work:
            letters = work.dead_letters
            pages = {
                "own": letters.page(acme.id, limit=5),
                "all": letters.page(None, limit=5),
                "reason": letters.page(None, reason="message_decode", limit=5),
                "queue": letters.page(None, queue="backfill", limit=5),
            }
            chosen = letters.by_ids(acme.id, [mine, nobodys])

        ids = {name: [row.id for row in page.rows] for name, page in pages.items()}
        assert ids == {
            "own": [mine],
            "all": [nobodys, mine],
            "reason": [nobodys],
            "queue": [],
        }
        assert [row.id for row in chosen] == [mine]

    def test_removed_dead_letters_are_gone(
        self, store: Store, acme: tables.Organization
    ) -> None:
        row_id = self.file(store, acme.id, "d1")

        with store.begin() as work:
            counts = [work.dead_letters.remove([row_id]) for _ in range(2)]
            work.commit()

        assert counts == [1, 0]


class AccessContract(store_rows.OrganizationFixture):
    """Tokens, sign-in codes and consents under way."""

    def test_a_token_is_valid_until_it_expires(
        self, store: Store, acme: tables.Organization
    ) -> None:
        with store.begin() as work:
            for token_hash, expires_at in (("h1", None), ("h2", store_rows.LATER)):
                work.tokens.add(
                    tables.ApiToken(
                        organization_id=acme.id,
                        token_hash=token_hash,
                        role="admin",
                        created_at=store_rows.NOW,
                        expires_at=expires_at,
                    )
                )

            assert work.tokens.by_hash("h1", now=store_rows.LATER) is not None
            assert work.tokens.by_hash("h2", now=store_rows.NOW) is not None
            assert work.tokens.by_hash("h2", now=store_rows.LATER) is None
            assert work.tokens.by_hash("h3", now=store_rows.NOW) is None

    def test_a_sign_in_code_is_redeemed_once(
        self, store: Store, acme: tables.Organization
    ) -> None:
        with store.begin() as work:
            work.login_codes.add(
                tables.LoginCode(
                    code_hash="h",
                    organization_id=acme.id,
                    role="user",
                    crm_user_id="u1",
                    expires_at=store_rows.LATER,
                )
            )
            work.commit()

        def redeem(_: int) -> str:
            with store.begin() as work:
                row = work.login_codes.redeem("h", now=store_rows.NOW)
                work.commit()
                return str(row.crm_user_id) if row else "-"

        assert sorted(map(str, store_rows.at_once(4, redeem))) == ["-", "-", "-", "u1"]

    def test_a_consent_is_redeemed_once_and_in_time(
        self, store: Store, acme: tables.Organization
    ) -> None:
        with store.begin() as work:
            for state_hash in ("h1", "h2"):
                work.oauth_states.add(
                    tables.OAuthState(
                        state_hash=state_hash,
                        organization_id=acme.id,
                        code_verifier="verifier",
                        created_at=store_rows.NOW,
                        expires_at=store_rows.LATER,
                    )
                )
            work.commit()

        with store.begin() as work:
            first = work.oauth_states.redeem("h1", now=store_rows.NOW)
            again = work.oauth_states.redeem("h1", now=store_rows.NOW)
            late = work.oauth_states.redeem("h2", now=store_rows.LATER)
            unknown = work.oauth_states.redeem("h3", now=store_rows.NOW)

            assert first is not None
            assert (first.code_verifier, first.used_at) == ("verifier", store_rows.NOW)
            assert (again, late, unknown) == (None, None, None)

    def test_expired_codes_are_forgotten(
        self, store: Store, acme: tables.Organization
    ) -> None:
        with store.begin() as work:
            for code_hash, expires_at in (
                ("old", store_rows.NOW),
                ("new", store_rows.LATER),
            ):
                work.login_codes.add(
                    tables.LoginCode(
                        code_hash=code_hash,
                        organization_id=acme.id,
                        role="user",
                        expires_at=expires_at,
                    )
                )

            assert work.login_codes.forget_expired(store_rows.LATER) == 1
            assert work.login_codes.get("old") is None
            assert work.login_codes.get("new") is not None
