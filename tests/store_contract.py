"""What the store must do on every database: units of work and secrets.

A test module derives from these classes and provides `url`, a database with the newest
schema.
"""

from datetime import UTC, timedelta, timezone

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from shared.adapters import crypto
from shared.adapters.store import Store, UnitOfWork, tables
from shared.domain import errors
from tests import store_rows


class UnitOfWorkContract(store_rows.StoreFixture):
    """Units of work and the types of columns."""

    def test_what_is_committed_is_there_for_others(self, store: Store) -> None:
        with store.begin() as work:
            store_rows.add_organization(work)
            work.commit()

        with store.begin() as work:
            assert work.organizations.by_name("acme") is not None

    def test_what_is_not_committed_is_rolled_back(self, store: Store) -> None:
        with store.begin() as work:
            store_rows.add_organization(work)

        with store.begin() as work:
            assert work.organizations.all() == []

    def test_an_error_rolls_back_what_was_not_committed(self, store: Store) -> None:
        def add_and_fail(work: UnitOfWork) -> None:
            store_rows.add_organization(work)
            raise RuntimeError

        with pytest.raises(RuntimeError), store.begin() as work:
            add_and_fail(work)

        with store.begin() as work:
            assert work.organizations.all() == []

    def test_a_row_stays_readable_after_its_unit_of_work(self, store: Store) -> None:
        with store.begin() as work:
            row = store_rows.add_organization(work)
            work.commit()

        assert (row.id > 0, row.name, row.settings) == (True, "acme", {})
        assert row.google_app_state == "unchecked"

    def test_a_row_is_read_once_in_a_unit_of_work(self, store: Store) -> None:
        with store.begin() as work:
            organization_id = store_rows.add_organization(work).id
            work.commit()

        with store.read() as work:
            was = work.organizations.by_id(organization_id).name
            with store.begin() as other:
                other.organizations.by_id(organization_id).name = "globex"
                other.commit()
            assert work.organizations.by_id(organization_id).name == was

    def test_a_changed_row_is_written_by_the_commit(self, store: Store) -> None:
        with store.begin() as work:
            row = store_rows.add_organization(work)
            row.settings = {"frequency": "hourly"}
            work.commit()

        with store.begin() as work:
            found = work.organizations.by_id(row.id)
            assert found.settings == {"frequency": "hourly"}

    def test_a_missing_row_is_named(self, store: Store) -> None:
        with store.begin() as work, pytest.raises(LookupError, match="links has no"):
            work.links.by_id(4711)

    def test_a_unit_of_work_for_reading_cannot_write(self, store: Store) -> None:
        with (
            pytest.raises((errors.RemoteUnavailableError, DBAPIError), match="read"),
            store.read() as work,
        ):
            store_rows.add_organization(work)

        with store.begin() as work:
            store_rows.add_organization(work)
            work.commit()

    def test_a_reader_does_not_wait_for_a_writer(self, store: Store) -> None:
        with store.begin() as work:
            store_rows.add_organization(work)
            work.commit()

        with store.begin() as writer, store.read() as reader:
            writer.organizations.by_name("acme")
            store_rows.add_organization(writer, "beta")

            assert [row.name for row in reader.organizations.all()] == ["acme"]

    def test_a_second_row_of_the_same_record_is_a_busy_record(
        self, store: Store
    ) -> None:
        with store.begin() as work:
            store_rows.add_organization(work)
            work.commit()

        with pytest.raises(errors.RecordBusyError) as caught, store.begin() as work:
            store_rows.add_organization(work)

        assert "organizations" in str(caught.value)
        assert "key-of-the-crm" not in str(caught.value)

    def test_a_row_that_belongs_to_nothing_is_refused(self, store: Store) -> None:
        orphan = tables.Organization(id=4711)

        with pytest.raises(IntegrityError), store.begin() as work:
            store_rows.add_connection(work, orphan)

    def test_an_instant_comes_back_in_utc_to_the_microsecond(
        self, store: Store
    ) -> None:
        tokyo = timezone(timedelta(hours=9))
        with store.begin() as work:
            row = store_rows.add_organization(work)
            row.crm_cursor = store_rows.NOW.astimezone(tokyo)
            work.commit()

        with store.begin() as work:
            found = work.organizations.by_id(row.id).crm_cursor
            assert found is not None
            assert (found, found.tzinfo) == (store_rows.NOW, UTC)

    def test_a_naive_instant_is_refused(self, store: Store) -> None:
        with store.begin() as work:
            acme = store_rows.add_organization(work)
            work.commit()

        naive = store_rows.NOW.replace(tzinfo=None)
        with pytest.raises(StatementError, match="needs an offset"), store.begin() as w:
            store_rows.add_link(w, acme, pending_since=naive)

    def test_a_document_without_value_is_null(self, store: Store) -> None:
        with store.begin() as work:
            store_rows.add_link(work, store_rows.add_organization(work), baseline=None)
            work.commit()

        with store.engine.connect() as connection:
            query = text("SELECT count(*) FROM links WHERE baseline IS NULL")
            assert connection.scalar(query) == 1

    def test_a_document_comes_back_as_it_was(self, store: Store) -> None:
        document = {
            "summary": 'Käse \U0001f9c0 "quoted" \\u0000 \n',
            "nested": {"list": [1, 2.5, None, True], "empty": {}},
        }
        with store.begin() as work:
            link = store_rows.add_link(
                work, store_rows.add_organization(work), task=document
            )
            work.commit()

        with store.begin() as work:
            assert work.links.by_id(link.id).task == document

    def test_text_that_no_database_takes_is_replaced_in_documents(
        self, store: Store
    ) -> None:
        document = {"summary": "a\x00b\\\x00c \ud83e d"}
        with store.begin() as work:
            link = store_rows.add_link(
                work, store_rows.add_organization(work), task=document
            )
            work.commit()

        with store.begin() as work:
            stored = work.links.by_id(link.id).task
            assert stored == {"summary": "a�b\\�c ? d"}

    def test_an_error_shows_no_values(self, store: Store) -> None:
        with pytest.raises(IntegrityError) as caught, store.begin() as work:
            store_rows.add_link(
                work, tables.Organization(id=4711), task={"title": "Secret talk"}
            )

        assert "Secret talk" not in str(caught.value)


class SecretsContract(store_rows.StoreFixture):
    """Secrets are plain in the rows and encrypted in the database."""

    @pytest.fixture
    def acme(self, store: Store) -> tables.Organization:
        """Return an organization with a connection and a consent under way."""
        with store.begin() as work:
            row = store_rows.add_organization(work)
            row.launch_secret = "launch-secret"  # noqa: S105 - of this test
            store_rows.add_connection(work, row, refresh_token="refresh-me")  # noqa: S106 - same
            work.oauth_states.add(
                tables.OAuthState(
                    state_hash="h",
                    organization_id=row.id,
                    code_verifier="verifier",
                    created_at=store_rows.NOW,
                    expires_at=store_rows.LATER,
                )
            )
            work.commit()
        return row

    def test_secrets_come_back_plain(
        self, store: Store, acme: tables.Organization
    ) -> None:
        with store.begin() as work:
            row = work.organizations.by_id(acme.id)
            connection = work.connections.of_user(acme.id, "u1")

        assert (row.crm_api_key, row.launch_secret) == (
            "key-of-the-crm",
            "launch-secret",
        )
        assert row.crm_webhook_secrets == ["whsec_new", "whsec_old"]
        assert row.google_client_secret is None
        assert connection is not None
        assert connection.refresh_token == "refresh-me"  # noqa: S105 - of this test

    @pytest.mark.usefixtures("acme")
    def test_no_secret_is_in_the_database_in_plain(self, store: Store) -> None:
        stored = _everything(store)

        assert "https://crm.example/api/v1" in stored
        for secret in ("key-of", "whsec_", "launch-", "refresh-me", "verifier"):
            assert secret not in stored

    def test_a_store_without_the_key_says_which_variable_to_mend(
        self, url: str, acme: tables.Organization
    ) -> None:
        stranger = Store(url, keys=crypto.Keys([crypto.Keys.generate()]))

        with (
            pytest.raises(errors.ConfigurationError, match="SECRET_KEYS"),
            stranger.begin() as work,
        ):
            work.organizations.by_id(acme.id)
        stranger.close()

    def test_rotated_secrets_need_the_new_key_only(
        self, url: str, acme: tables.Organization
    ) -> None:
        new = crypto.Keys.generate()
        both = Store(url, keys=crypto.Keys([new, store_rows.KEY]))
        count = both.rotate_secrets()
        both.close()

        only_new = Store(url, keys=crypto.Keys([new]))
        with only_new.begin() as work:
            row = work.organizations.by_id(acme.id)
            consent = work.oauth_states.by_id("h")
        only_new.close()

        assert count == 5
        assert (row.crm_api_key, row.crm_webhook_secrets) == (
            "key-of-the-crm",
            ["whsec_new", "whsec_old"],
        )
        assert consent.code_verifier == "verifier"


def _everything(store: Store) -> str:
    """Return all stored values as one text."""
    with store.engine.connect() as connection:
        return "\n".join(
            repr(row)
            for table in tables.Base.metadata.sorted_tables
            for row in connection.execute(text(f"SELECT * FROM {table.name}"))  # noqa: S608 - our names
        )
