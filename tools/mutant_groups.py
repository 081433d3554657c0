"""The groups of `make mutants`: which modules are changed, and which tests must notice it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    modules: tuple[str, ...]
    """Glob patterns below the project's folder, as `tests` are."""
    tests: tuple[str, ...]


GROUPS = {
    "core": Group(
        modules=("dialer/core/*.py",),
        tests=(
            "tests/core/test_*.py",
            "tests/docs/test_glossary.py",
            "tests/wording/test_words.py",
            "tests/wording/test_language.py",
            "tests/db/test_migrations.py",
        ),
    ),
    "dialling": Group(
        modules=(
            "dialer/calls/claims.py",
            "dialer/calls/pacing.py",
            "dialer/cases/attempts.py",
            "dialer/calls/dial.py",
            "dialer/calls/apply.py",
            "dialer/calls/reconcile.py",
            "dialer/calls/sound.py",
        ),
        tests=(
            "tests/calls/test_*.py",
            "tests/control/test_due.py",
            "tests/cases/test_follow_up_rows.py",
            "tests/core/test_breaker.py",
            "tests/server/test_hooks.py",
            "tests/web/test_write_batcher.py",
            "tests/db/test_claim.py",
            "tests/db/test_lock_order.py",
            "tests/db/test_number_order.py",
            "tests/story/test_placing.py",
            "tests/story/test_hearing.py",
            "tests/story/test_order.py",
            "tests/wording/test_language.py",
        ),
    ),
    "jobs": Group(
        modules=(
            "dialer/db/jobs.py",
            "dialer/db/leases.py",
            "dialer/db/migration_locks.py",
            "dialer/db/hosts.py",
            "dialer/control/alarms.py",
            "dialer/core/outbox.py",
            "dialer/calls/message_store.py",
            "dialer/calls/messages.py",
            "dialer/calls/fetching.py",
            "dialer/webhooks/sending.py",
        ),
        tests=(
            "tests/db/test_jobs.py",
            "tests/db/test_leases.py",
            "tests/db/test_stepping_aside.py",
            "tests/control/test_service_alarms.py",
            "tests/core/test_outbox.py",
            "tests/calls/test_messages.py",
            "tests/calls/test_message_channels.py",
            "tests/webhooks/test_webhooks.py",
            "tests/story/test_recording.py",
            "tests/wording/test_language.py",
        ),
    ),
    "work": Group(
        modules=(
            "dialer/work/assignments.py",
            "dialer/work/transfer_store.py",
            "dialer/work/desk.py",
            "dialer/work/tasks.py",
            "dialer/work/transfers.py",
            "dialer/work/visits.py",
            "dialer/work/stop_requests.py",
        ),
        tests=("tests/work/test_*.py", "tests/wording/test_language.py"),
    ),
    "intake": Group(
        modules=("dialer/intake/*.py",),
        tests=(
            "tests/intake/test_*.py",
            "tests/core/test_stored_words.py",
            "tests/core/test_documents.py",
            "tests/core/test_photos.py",
            "tests/docs/test_list_words.py",
            "tests/wording/test_language.py",
        ),
    ),
    "figures": Group(
        modules=(
            "dialer/core/rates.py",
            "dialer/db/measures.py",
            "dialer/figures/*.py",
            "dialer/outcomes/*.py",
            "dialer/webhooks/*.py",
        ),
        tests=(
            "tests/core/test_rates.py",
            "tests/core/test_period.py",
            "tests/core/test_sequential.py",
            "tests/core/test_stored_words.py",
            "tests/figures/test_*.py",
            "tests/outcomes/test_*.py",
            "tests/webhooks/test_*.py",
            "tests/work/test_evidence.py",
            "tests/console/test_approvals.py",
            "tests/console/test_bulletins.py",
            "tests/console/test_evidence_files.py",
            "tests/console/test_filed.py",
            "tests/console/test_rates.py",
            "tests/console/test_rates_agree.py",
            "tests/console/test_rates_form.py",
            "tests/console/test_webhooks.py",
            "tests/core/test_photos.py",
            "tests/wording/test_language.py",
        ),
    ),
    "cards": Group(
        modules=(
            "dialer/cards/**/*.py",
            "dialer/core/cards.py",
            "dialer/core/second_person.py",
            "dialer/db/second_person.py",
        ),
        tests=(
            "tests/core/test_second_person.py",
            "tests/core/test_stored_words.py",
            "tests/cards/test_*.py",
            "tests/api/test_openings.py",
            "tests/console/test_approvals.py",
            "tests/wording/test_language.py",
        ),
    ),
    "access": Group(
        modules=(
            "dialer/core/access.py",
            "dialer/staff/factor_store.py",
            "dialer/staff/store.py",
            "dialer/staff/token_store.py",
            "dialer/staff/sign_in.py",
            "dialer/web/console.py",
            "dialer/server/application.py",
            "dialer/server/process.py",
            "dialer/server/webhooks.py",
        ),
        tests=(
            "tests/core/test_access.py",
            "tests/core/test_stored_words.py",
            "tests/docs/test_glossary.py",
            "tests/staff/test_staff_rows.py",
            "tests/staff/test_sign_in.py",
            "tests/console/test_signing_in.py",
            "tests/console/test_passwords.py",
            "tests/console/test_accounts.py",
            "tests/console/test_every_page.py",
            "tests/console/test_refusals.py",
            "tests/console/test_refused_forms.py",
            "tests/server/test_*.py",
            "tests/web/test_*.py",
            "tests/api/test_gate.py",
            "tests/api/test_tokens.py",
            "tests/console/test_role_by_page.py",
            "tests/wording/test_language.py",
        ),
    ),
    "accounts": Group(
        modules=(
            "dialer/org/account*.py",
            "dialer/org/factors.py",
            "dialer/org/identity.py",
            "dialer/org/own_pages.py",
            "dialer/org/passkeys.py",
            "dialer/org/queries.py",
            "dialer/org/token*.py",
            "dialer/staff/*.py",
        ),
        tests=(
            "tests/core/test_stored_words.py",
            "tests/org/test_other_units.py",
            "tests/staff/test_*.py",
            "tests/api/test_token*.py",
            "tests/console/test_account*.py",
            "tests/console/test_approvals.py",
            "tests/console/test_factors.py",
            "tests/console/test_identity.py",
            "tests/console/test_passkeys.py",
            "tests/console/test_passwords.py",
            "tests/console/test_signing_in.py",
            "tests/console/test_tokens.py",
            "tests/wording/test_language.py",
        ),
    ),
    "units": Group(
        modules=(
            "dialer/core/units.py",
            "dialer/db/units.py",
            "dialer/org/tree.py",
            "dialer/org/unassigned.py",
            "dialer/org/unit_pages.py",
            "dialer/cases/unassigned.py",
        ),
        tests=(
            "tests/core/test_unit*.py",
            "tests/core/test_stored_words.py",
            "tests/intake/test_unit_lists.py",
            "tests/org/test_*.py",
            "tests/console/test_unassigned.py",
            "tests/console/test_units.py",
            "tests/console/test_navigation_of_units.py",
            "tests/wording/test_language.py",
        ),
    ),
    "scripts": Group(
        modules=("dialer/scripts/*.py", "dialer/script_versions/*.py"),
        tests=(
            "tests/scripts/test_*.py",
            "tests/script_versions/test_*.py",
            "tests/core/test_stored_words.py",
            "tests/console/test_scripts.py",
            "tests/console/test_script_drawing.py",
            "tests/wording/test_language.py",
        ),
    ),
    "retention": Group(
        modules=("dialer/retention/*.py", "dialer/keys/*.py"),
        tests=(
            "tests/retention/test_*.py",
            "tests/keys/test_*.py",
            "tests/core/test_stored_words.py",
            "tests/console/test_erasures.py",
            "tests/cards/test_erasing.py",
            "tests/wording/test_language.py",
        ),
    ),
    "backup": Group(
        modules=("dialer/backup/*.py",),
        tests=(
            "tests/backup/test_*.py",
            "tests/calls/test_compared_again.py",
            "tests/wording/test_language.py",
        ),
    ),
    "webhooks": Group(
        modules=("dialer/webhooks/*.py",),
        tests=(
            "tests/webhooks/test_*.py",
            "tests/core/test_outbox.py",
            "tests/core/test_stored_words.py",
            "tests/console/test_webhooks.py",
            "tests/wording/test_language.py",
        ),
    ),
    # Without fitting, which needs an extra that the environment of the tests does not have, and earlier_snapshots.
    "signals": Group(
        modules=(
            "dialer/signals/[!ef]*.py",
            "dialer/signals/evaluation.py",
            "dialer/signals/explanations.py",
            "dialer/signals/features.py",
        ),
        tests=(
            "tests/signals/test_*.py",
            "tests/console/test_robot.py",
            "tests/api/test_signals.py",
            "tests/core/test_stored_words.py",
            "tests/wording/test_errors.py",
            "tests/wording/test_language.py",
        ),
    ),
    "sound": Group(
        modules=("carrier/lines/sound.py", "carrier/lines/voice.py"),
        tests=(
            "tests/carrier/test_voice.py",
            "tests/carrier/test_answered_by.py",
            "tests/carrier/test_documents.py",
            "tests/carrier/test_recordings.py",
            "tests/carrier/test_handset.py",
        ),
    ),
    # Without what needs the extras `sip` (stack, peer) and `hearing` (whisper) to run.
    "carrier": Group(
        modules=(
            "carrier/[!w]*.py",
            "carrier/webhooks.py",
            "carrier/lines/*.py",
            "carrier/lines/sip/[!ps]*.py",
            "carrier/lines/sip/senders.py",
            "carrier/lines/sip/stack_*.py",
        ),
        tests=("tests/carrier/test_*.py", "tests/wording/test_language.py"),
    ),
}
