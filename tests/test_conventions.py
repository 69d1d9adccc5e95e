"""Every promise of the API's conventions, and the tests that keep it.

The tests are found by reading their files, not by running them: a renamed or removed one fails here, in the line of
the promise that has lost it.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent

#: A promise in our own words → its tests, by file below this folder.
Promises = dict[str, dict[str, str]]

_ACCESS = "integration/web/test_access.py"
_ANSWERS = "integration/web/test_answers.py"
_API_KEYS = "integration/access/test_keys.py"
_BODIES = "integration/web/test_bodies.py"
_BOMBS = "integration/web/test_bombs.py"
_CONFIG = "unit/test_config.py"
_CORS = "integration/web/test_cors.py"
_CREDENTIALS = "integration/web/test_credentials.py"
_CROWD = "integration/web/test_crowd.py"
_GUNICORN = "integration/web/test_gunicorn.py"
_KEYS = "integration/web/test_keys.py"
_LIMITS = "integration/web/test_limits.py"
_TLS = "integration/web/test_tls.py"
_MARKERS = "acceptance/test_markers.py"
_METRICS = "integration/web/test_metrics.py"
_ONCE = "integration/web/test_once.py"
_PAGES = "integration/web/test_pages.py"
_PROBLEMS = "test_problems.py"
_RATES = "integration/web/test_rates.py"
_REPEATS = "integration/access/test_repeats.py"
_ROUTES = "integration/web/test_routes.py"
_SEALED = "unit/vault/test_sealed.py"
_SESSIONS = "integration/web/test_sessions.py"
_VAULT = "integration/vault/test_vault.py"

FORM: Promises = {
    "JSON goes in and comes out, in UTF-8": {
        _ANSWERS: "test_json_is_utf8_in_both_directions test_an_error_is_utf8_too",
        _BODIES: "test_a_body_that_is_no_json_object_is_malformed",
    },
    "fields are in camel case": {
        _ANSWERS: "test_every_field_is_in_camel_case",
        _BODIES: "test_fields_in_snake_case_are_unknown",
    },
    "times are RFC 3339 in UTC": {_ANSWERS: "test_times_are_rfc_3339_in_utc"},
    "a list is items, total, limit and offset, and the limit ends at 100": {
        _ANSWERS: "test_every_list_is_a_page",
        _LIMITS: "test_a_list_has_up_to_100_items test_odd_parameters_of_a_list_are_refused",
        _SESSIONS: "test_sessions_are_listed_newest_first_in_pages_and_by_state",
    },
    "a body over 1 MiB is 413": {
        _BODIES: "test_a_body_of_1_mib_is_read_and_a_byte_more_is_not test_a_body_without_a_length_is_cut_at_1_mib_too",
        _GUNICORN: "test_a_body_over_the_limit_is_refused_while_it_streams"
        " test_a_body_without_a_length_is_read_to_the_limit_and_not_cut_there"
        " test_a_declared_body_over_the_limit_is_refused_without_reading_it",
    },
    "an unknown field is 422": {_BODIES: "test_an_unknown_field_is_refused_everywhere"},
    "another content type is 415": {_BODIES: "test_another_content_type_is_refused"},
    "another method is 405, with the right ones": {
        _ANSWERS: "test_every_path_tells_its_methods_to_a_wrong_one",
        _PROBLEMS: "test_a_wrong_method_tells_the_right_ones",
    },
    "errors are problem details, and `error` repeats the detail": {
        _PROBLEMS: "test_every_class_becomes_a_problem test_the_frameworks_own_errors_become_problems",
        "integration/web/test_schema.py": "test_every_answer_is_as_documented",
    },
    "a 422 lists the fields": {_PROBLEMS: "test_broken_fields_are_listed"},
    "an unexpected fault is 500 with an id from the log, and not the exception's text": {
        _PROBLEMS: "test_a_fault_is_told_by_an_id_that_is_in_the_log"
    },
    "every answer carries a request id: the caller's own, if it is sane": {
        _ACCESS: "test_a_sane_request_id_is_taken_over test_an_odd_request_id_is_replaced"
        " test_a_request_id_cannot_add_a_header test_every_answer_has_its_own_request_id"
    },
    "the document describes every answer": {
        "integration/web/test_schema.py": "test_every_answer_is_as_documented",
        "test_contract.py": "test_the_document_in_docs_is_the_generated_one test_every_route_is_described",
    },
}

CALLERS: Promises = {
    "the service token is a bearer token and acts for whom X-User-ID names": {
        _ACCESS: "test_a_missing_or_wrong_token_is_refused test_the_scheme_is_read_in_any_case",
        _ROUTES: "test_the_service_token_has_to_name_a_user",
    },
    "without a user where one is needed: 400": {
        _ACCESS: "test_an_operation_of_a_user_needs_one",
        _ROUTES: "test_the_service_token_has_to_name_a_user",
    },
    "below /api/v1/ a key may come as X-API-Key": {
        _KEYS: "test_x_api_key_counts_below_v1_only test_x_api_key_takes_valid_keys_only"
        " test_two_credentials_must_be_the_same"
    },
    "API keys are stored as a hash": {
        _API_KEYS: "test_neither_the_key_nor_its_secret_is_stored",
        _MARKERS: "test_no_table_holds_a_secret",
    },
    "a key is bound to one user and may name no other": {
        _ROUTES: "test_a_key_may_name_its_own_user_only",
        _KEYS: "test_a_key_may_repeat_its_user_and_name_no_other",
    },
    "a key has scopes": {
        _ROUTES: "test_a_key_needs_the_scope",
        _KEYS: "test_every_operation_opens_to_its_scopes_and_to_no_other",
    },
    "a key expires and can be revoked": {
        _API_KEYS: "test_a_key_ends_at_its_very_time test_a_key_revoked_by_another_process_is_refused_at_once",
        _ROUTES: "test_without_a_good_credential_nothing_is_told",
    },
    "a key has a time of last use": {_API_KEYS: "test_the_last_use_is_noted_once_a_minute"},
    "an administrator lists and ends, and never reads": {
        _KEYS: "test_an_administrator_lists_everybodys_sessions"
        " test_an_administrator_ends_anybodys_session_and_says_so"
        " test_an_administrator_reads_nothing_of_others"
    },
    "tokens are compared in constant time": {_ACCESS: "test_tokens_are_compared_in_constant_time"},
    "pages know a sign-in by a cookie that scripts and other sites do not get": {
        _PAGES: "test_a_key_signs_in_and_the_start_page_says_who test_the_cookie_is_kept_from_scripts_and_other_sites"
        " test_over_tls_the_cookie_is_secure_and_the_origin_is_https"
    },
    "and that works for our own origin only": {
        _ROUTES: "test_a_cookie_works_for_our_own_pages_only",
        _PAGES: "test_a_page_of_elsewhere_signs_nobody_in_or_out test_a_page_of_elsewhere_reads_nothing_with_the_cookie",
    },
    "in release mode nothing starts without both secrets": {
        _CONFIG: "test_release_needs_both_secrets test_a_weak_token_is_refused",
        _GUNICORN: "test_a_wrong_setting_is_told_in_one_line",
    },
    "nothing but loopback without TLS or a declared proxy": {
        _CONFIG: "test_anything_else_needs_tls_or_a_proxy test_loopback_needs_nothing",
        _GUNICORN: "test_a_wrong_setting_is_told_in_one_line",
    },
    "debug mode makes up secrets, says so, and keeps to loopback": {
        "integration/web/test_debug.py": "test_debug_mode_makes_secrets_says_so_and_keeps_them"
        " test_debug_mode_refuses_to_be_seen_from_elsewhere"
    },
    "the Host must be an allowed one": {
        _ACCESS: "test_another_host_is_refused_everywhere test_a_forwarded_host_does_not_count",
        _GUNICORN: "test_an_address_as_target_does_not_replace_the_host",
    },
    "what belongs to another is the same as nothing": {
        _ACCESS: "test_another_users_session_is_the_same_as_none",
        _ROUTES: "test_what_belongs_to_another_is_the_same_as_nothing",
        _CREDENTIALS: "test_another_users_key_is_the_same_as_none",
    },
    "user ids have a form": {
        _LIMITS: "test_a_legal_user_id_may_create test_an_illegal_user_id_is_refused"
        " test_an_illegal_user_in_the_header_is_refused"
    },
    "session ids are UUIDs": {
        _ACCESS: "test_a_session_id_that_is_no_uuid_does_not_exist",
        _LIMITS: "test_a_client_chosen_id_must_be_a_uuid",
    },
    "TLS 1.2 at least": {_TLS: "test_with_a_certificate_it_speaks_tls_1_2_and_newer_only"},
}

AGAIN: Promises = {
    "a key has 1 to 128 visible ASCII characters": {
        _ONCE: "test_keys_of_1_to_128_visible_characters_are_taken test_other_keys_are_refused_without_being_told"
    },
    "a call with a key is executed at most once, and a repeat gets the first answer": {
        _ONCE: "test_a_command_sent_again_is_put_in_once test_an_end_and_a_resize_are_replayed_too",
        _REPEATS: "test_a_repeat_gets_the_first_answer_and_is_not_executed",
    },
    "for 24 hours": {_REPEATS: "test_an_answer_is_kept_for_24_hours"},
    "per user": {
        _ONCE: "test_two_users_may_use_the_same_key",
        _REPEATS: "test_another_user_may_use_the_same_key",
    },
    "the same key with something else is 409": {
        _ONCE: "test_another_body_path_or_method_with_the_same_key_is_refused"
    },
    "a repeat waits for a first run that goes on": {
        _ONCE: "test_a_repeat_while_the_first_runs_waits_for_it",
        _REPEATS: "test_repeats_of_a_running_call_wait_for_it_in_places_of_their_own",
    },
    "after a crash the outcome is unknown": {
        _REPEATS: "test_after_a_crash_the_outcome_of_an_input_is_unknown_for_good",
        _CROWD: "test_of_a_command_that_was_killed_before_its_answer_the_outcome_is_unknown",
    },
    "but that of a create is known": {
        _REPEATS: "test_after_a_crash_a_thing_is_made_once_more_under_the_same_id",
        _ONCE: "test_of_a_create_that_was_cut_short_after_the_session_was_made_the_session_is_told"
        " test_a_create_that_was_cut_short_before_the_session_was_made_makes_it",
        _CROWD: "test_a_create_that_was_killed_before_its_answer_is_not_made_twice",
    },
    "the pump ignores keys": {_ONCE: "test_reads_and_the_pump_ignore_keys"},
}

LIMITS: Promises = {
    "the rate is limited per user, and not for all who share an address": {
        _RATES: "test_each_call_of_an_api_key_counts_once_for_its_user"
        " test_each_call_of_the_service_token_counts_once_for_the_user_it_names",
        _CROWD: "test_two_users_from_one_address_do_not_limit_each_other",
    },
    "per address where nobody is known": {
        _RATES: "test_where_nobody_is_known_the_address_counts"
        " test_failed_sign_ins_with_any_credential_count_for_the_address"
    },
    "the limits are a setting, and can be off": {
        _CONFIG: "test_rates test_other_rates_are_refused",
        "unit/access/test_rates.py": "test_every_limit_holds test_without_limits_nothing_is_counted",
    },
    "429 says when to come again": {
        _PROBLEMS: "test_the_headers_fit_the_status",
        "unit/access/test_rates.py": "test_the_time_to_come_again_is_never_zero",
    },
    "eight calls of a user may wait": {
        "unit/web/test_waiting.py": "test_a_user_has_eight_places_and_gets_them_back",
        _CROWD: "test_300_waiting_calls_of_one_user_leave_another_undisturbed",
    },
    "there are always threads for calls that do not wait": {
        _CONFIG: "test_threads_are_enough_for_the_calls_that_wait_and_those_that_do_not",
        _CROWD: "test_with_every_waiting_place_taken_what_does_not_wait_is_answered",
    },
    "only listed origins, never all": {
        _CORS: "test_a_page_of_a_listed_origin_may_read_the_answer test_a_page_of_any_other_origin_may_not"
        " test_without_listed_origins_nothing_is_said",
        _ACCESS: "test_no_answer_allows_other_origins",
    },
}

CREDENTIALS: Promises = {
    "the public key is open, a JWK, and named by its thumbprint": {
        _CREDENTIALS: "test_the_public_key_needs_no_credential_and_names_itself_by_its_thumbprint",
        "integration/vault/test_keyring.py": "test_the_public_half_is_a_jwk_and_holds_nothing_private",
    },
    "a key is stored sealed or in clear, listed by its last 4 characters, and removed": {
        _CREDENTIALS: "test_a_key_is_added_listed_used_and_removed",
        _VAULT: "test_a_stored_key_is_told_by_its_last_characters_and_opens test_nothing_shows_a_key",
    },
    "stored under AES-256-GCM": {
        "unit/vault/test_cipher.py": "test_a_flipped_bit_anywhere_is_refused test_another_purpose_is_refused",
        _VAULT: "test_a_row_moved_to_another_user_does_not_open",
    },
    "one algorithm, and a header with key, user and time": {
        _SEALED: "test_a_header_that_is_not_the_agreed_one_is_refused test_a_bomb_is_not_unpacked"
    },
    "not for another user, and not older than a day": {
        _SEALED: "test_another_user_cannot_open_it"
        " test_a_day_is_the_age_it_may_have_and_five_minutes_the_error_of_a_clock",
        _CREDENTIALS: "test_every_bad_seal_is_refused_in_the_same_words",
    },
    "the same sealed key by the same user is the same credential": {
        _VAULT: "test_a_sealed_key_enrols_once test_the_same_sealed_key_at_once_enrols_once",
        _CREDENTIALS: "test_a_sealed_key_enrols_once_and_serves_sessions",
    },
    "later creates name the credential, or nothing where there is one": {
        _VAULT: "test_without_a_name_the_only_stored_key_is_chosen",
        "integration/sessions/test_keys.py": "test_a_named_key_and_the_only_one_are_used_alike_and_again_after_a_restart",
    },
}

SERVICE: Promises = {
    "health needs no credential, says what is wrong, and is 503 then": {
        _SESSIONS: "test_health_is_ok_when_all_is_well"
        " test_without_a_working_cli_health_is_503_and_creates_are_refused"
    },
    "health tells no path and no secret": {_SESSIONS: "test_health_tells_no_path_and_no_secret"},
    "the document and its page": {
        _SESSIONS: "test_the_document_and_the_page_hold_every_operation test_the_page_needs_nothing_from_elsewhere"
    },
    "figures need their own token, and without one there are none": {
        _METRICS: "test_without_a_token_there_is_no_such_page test_a_wrong_token_is_refused"
        " test_neither_token_opens_the_others_door"
    },
    "a drained service takes no new sessions and keeps those it has": {
        "integration/web/test_drain.py": "test_a_draining_service_refuses_new_sessions_and_keeps_those_there",
        "integration/cli/test_drain.py": "test_a_drained_service_refuses_new_sessions_until_that_is_undone",
    },
    "SIGTERM ends the service in order": {
        _GUNICORN: "test_waiting_calls_end_cleanly_and_at_once_when_the_service_stops"
        " test_after_a_stop_and_a_start_a_session_goes_on"
    },
}

BAD_INPUT: Promises = {
    "user ids that climb, are empty, too long, or hold NUL": {_LIMITS: "test_an_illegal_user_id_is_refused"},
    "tokens wrong by one character": {
        _ACCESS: "test_a_missing_or_wrong_token_is_refused",
        _KEYS: "test_a_key_wrong_by_one_character_is_refused",
        _API_KEYS: "test_a_key_wrong_by_one_character_anywhere_is_refused",
    },
    "tokens of another kind": {
        _KEYS: "test_other_tokens_and_nonsense_are_refused",
        _ROUTES: "test_without_a_good_credential_nothing_is_told",
        "integration/access/test_signins.py": "test_a_key_is_no_token_and_a_token_no_key",
    },
    "tokens expired": {_ROUTES: "test_without_a_good_credential_nothing_is_told"},
    "tokens revoked in mid-poll": {
        "integration/cli/test_keys.py": "test_a_key_revoked_while_its_call_waits_gets_no_output"
    },
    "one idempotency key of two users": {_ONCE: "test_two_users_may_use_the_same_key"},
    "one idempotency key with another body": {
        _ONCE: "test_another_body_path_or_method_with_the_same_key_is_refused"
    },
    "an idempotency key while the first runs": {_ONCE: "test_a_repeat_while_the_first_runs_waits_for_it"},
    "an idempotency key after a crash": {
        _CROWD: "test_a_create_that_was_killed_before_its_answer_is_not_made_twice"
        " test_of_a_command_that_was_killed_before_its_answer_the_outcome_is_unknown"
    },
    "a sealed key for another user": {_SEALED: "test_another_user_cannot_open_it"},
    "a sealed key of yesterday": {
        _SEALED: "test_a_day_is_the_age_it_may_have_and_five_minutes_the_error_of_a_clock"
    },
    "a sealed key for a foreign key pair": {_SEALED: "test_a_key_pair_that_is_not_ours_is_not_used"},
    "a sealed key cut short": {_SEALED: "test_a_token_cut_short_is_refused"},
    "a sealed key replayed": {
        _VAULT: "test_a_sealed_key_enrols_once test_a_removed_one_does_not_come_back_with_its_jwe"
        " test_another_user_cannot_enrol_somebodys_jwe"
    },
    "key rotation killed half-way": {
        "integration/cli/test_rotation.py": "test_killed_half_way_it_goes_on_and_nothing_is_lost"
    },
    "300 waiting calls of one user": {_CROWD: "test_300_waiting_calls_of_one_user_leave_another_undisturbed"},
    "headers with line ends": {
        "integration/cli/test_keys.py": "test_a_header_cannot_bring_another_one_into_the_answer",
        _GUNICORN: "test_a_header_with_a_line_end_inside_is_no_second_header",
        _ACCESS: "test_a_request_id_cannot_add_a_header",
    },
    "line ends and escapes for the log": {
        "unit/logs/test_lines.py": "test_nothing_makes_a_second_line_or_a_terminal_escape"
    },
    "a body that unpacks to more": {_BOMBS: "test_a_compressed_body_is_not_unpacked"},
    "JSON that is deep, long or odd": {
        _BOMBS: "test_a_bomb_is_refused_in_few_words_everywhere",
        _BODIES: "test_a_body_that_is_no_json_object_is_malformed test_a_number_that_is_no_size_is_refused"
        " test_unknown_fields_get_a_short_answer",
    },
    "the Host of an attacker": {_ACCESS: "test_another_host_is_refused_everywhere"},
    "requests nobody thought of": {"integration/web/test_schema.py": "test_every_answer_is_as_documented"},
    "secrets in answers": {_MARKERS: "test_no_answer_holds_a_secret"},
    "secrets in the database": {_MARKERS: "test_no_table_holds_a_secret test_no_file_holds_a_secret"},
    "secrets in logs": {_MARKERS: "test_the_log_tells_what_was_done_without_secrets"},
    "secrets in output and recordings": {_MARKERS: "test_no_output_holds_a_key_that_a_program_printed"},
    "secrets in arguments and the environment of children": {
        _MARKERS: "test_no_process_was_given_a_secret_in_its_arguments"
        " test_a_sessions_environment_holds_its_own_users_key_only"
    },
}

ALL = [
    pytest.param(tests, id=promise)
    for part in (FORM, CALLERS, AGAIN, LIMITS, CREDENTIALS, SERVICE, BAD_INPUT)
    for promise, tests in part.items()
]

#: Faults of the predecessor that are ours to disprove.
PREDECESSOR = ("M4", "M6", "M11")


@cache
def functions(file: str) -> dict[str, str]:
    """Return the tests of a file with their docstrings."""
    tree = ast.parse((TESTS / file).read_text())
    return {
        node.name: ast.get_docstring(node) or ""
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


@pytest.mark.parametrize("tests", ALL)
def test_the_tests_of_a_promise_are_there(tests: dict[str, str]) -> None:
    for file, names in tests.items():
        missing = set(names.split()) - set(functions(file))
        assert not missing, f"{file} has no {missing}: name what keeps the promise now"


@pytest.mark.parametrize("fault", PREDECESSOR)
def test_a_fault_of_the_predecessor_is_named_by_the_test_that_disproves_it(fault: str) -> None:
    files = [str(path.relative_to(TESTS)) for path in TESTS.rglob("test_*.py")]
    texts = [text for file in files for text in functions(file).values()]
    texts += [ast.get_docstring(ast.parse((TESTS / file).read_text())) or "" for file in files]
    assert any(re.search(rf"\b{fault}\b", text) for text in texts)
