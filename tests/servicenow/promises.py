"""What the ServiceNow part promises, and the tests that keep it; the same form as in statements.py."""

from __future__ import annotations

from tests.servicenow.statements import (
    ACCESS,
    AMB,
    CONTROL,
    ELEMENTS,
    ENGINE,
    PASSWORDS,
    QUERIES,
    RECORDS,
    REST,
    RULES,
    SYSTEM,
    TABLE,
    XML,
    Promises,
)

_EMULATOR = "integration/emulator/"
_MID = _EMULATOR + "test_mid_"
_OWN = "servicenow/test_"
_API = _OWN + "api.py"
_BRIDGE = _OWN + "bridge.py"
_BUILD = _OWN + "build.py"
_FAULTS = _OWN + "faults.py"
_FIX = _OWN + "fix_scripts.py"
_JOBS = _OWN + "jobs.py"
_LAUNCHER = _EMULATOR + "test_launcher.py"
_LINT = "unit/app/test_lint.py"
_LOOP = _OWN + "loop.py"
_MANIFEST = "unit/app/test_manifest.py"
_PROBE = _OWN + "probe.py"
_ANSWERS = _OWN + "probe_answers.py"
_PUMP = _OWN + "pump.py"
_QUEUE = _EMULATOR + "test_queue.py"
_RESTARTS = _OWN + "restarts.py"
_ROLES = _OWN + "roles.py"
_SENSOR = _OWN + "sensor.py"
_SETS = _EMULATOR + "test_updatesets.py"
_SOAP = _EMULATOR + "test_soap.py"

APP: Promises = {
    "one manifest names every record, with a sys_id of 32 hex digits": {
        _MANIFEST: "test_our_own_is_one_record_per_line",
        "unit/app/test_coherence.py": "test_in_the_manifest_this_is_found",
        _BUILD: "TestTheSet::test_has_valid_ids_only",
    },
    "every script is ES5, and the house rules hold": {_LINT: "test_our_own_sources_are_without_fault"},
    "ClaudeTerminalAPI writes for users and never waits": {
        _API: "test_create_asks_for_what_was_wanted test_the_same_key_gives_the_same_session_and_one_row",
        _OWN + "regressions_rest.py": "test_no_resource_waits_for_an_answer",
    },
    "ClaudeTerminalBridge writes rows": {
        _BRIDGE: "test_a_row_for_a_mid_server test_a_refused_insert_is_reported"
    },
    "ClaudeTerminalSensor takes answers": {
        _SENSOR: "test_an_answer_marks_its_row_processed_and_settles_its_request"
    },
    "ClaudeTerminalProbe makes calls of rows": {_PROBE: "TestOperations::test_becomes_its_one_call"},
    "Scripted REST has one resource for each operation, of at most 12 lines": {
        _OWN + "rest.py": "test_the_list_here_is_the_manifests test_each_resource_has_at_most_twelve_lines"
    },
    "rule: sensor": {
        _OWN
        + "rules.py": "test_the_sensor_leaves_inputs_of_others_alone test_the_sensor_leaves_outputs_alone"
    },
    "rule: a session is cleaned up": {
        _OWN + "rules.py": "test_a_deleted_session_ends_at_the_sidecar_and_takes_its_rows_along"
    },
    "watchdog of the pump": {
        _PUMP: "test_a_lost_one_is_replaced_after_a_minute_under_another_name",
        _FAULTS: "test_a_lost_pump_is_replaced_and_nothing_is_missing",
    },
    "rule: a MID Server is down, so its sessions are unreachable": {
        _OWN + "rules.py": "test_a_mid_server_that_goes_down_is_told_at_once_and_forgotten_when_it_is_back"
        " test_the_events_of_mid_servers_look_at_all_of_ours"
    },
    "job: health each minute": {
        _JOBS: "test_each_mid_server_is_asked_and_the_answer_kept test_silence_is_an_issue_and_is_not_asked_again_and_again"
    },
    "job: expiry": {
        _JOBS: "test_old_rows_go_and_with_a_session_all_it_has test_output_is_kept_up_to_a_number_of_bytes"
    },
    "tables, roles and properties are installed": {
        _BUILD: "TestTheImport::test_makes_the_app_in_an_empty_instance",
        _FIX: "TestSecondRun::test_leaves_the_self_check_nothing_to_find",
    },
}

PROXY: Promises = {
    "output rows have the agreed columns and parameters": {
        _BRIDGE: "test_a_row_for_a_mid_server test_skip_sensor_comes_first"
        " test_the_probe_reads_the_parameters_that_are_sent",
        _LOOP: "test_every_output_row_keeps_out_of_discoverys_way",
    },
    "the script is one constant line without user data": {
        _BRIDGE: "test_nothing_a_user_wrote_is_in_the_script",
        _LOOP: "test_the_script_is_one_constant_line_that_hides_nothing_of_the_host",
    },
    "each operation is one HTTP call, told in one table": {
        _BRIDGE: "test_both_sides_know_the_same_operations test_every_operation_is_one_of_the_sidecars",
        _PROBE: "TestOperations::test_exists_at_the_sidecar TestOperations::test_there_are_no_others",
    },
    "answers are base64, at most 128 KiB": {
        _ANSWERS: "TestAnswers::test_every_byte_survives TestAnswers::test_64_kib_of_output_fit"
        " TestAnswers::test_what_does_not_fit_is_told",
    },
    "the MID script never throws: 502 and 504 are answers": {
        _ANSWERS: "TestNoAnswer::test_nobody_listening_is_told TestNoAnswer::test_a_sidecar_that_is_too_slow_is_told",
        _OWN + "regressions_probe.py": "test_every_operation_returns_an_answer_whatever_the_sidecar_does",
    },
    "the token comes from a file, else from a secure parameter": {
        _PROBE: "TestConfiguration::test_the_secure_parameter_serves_where_no_file_is_named"
        " TestConfiguration::test_the_file_counts_before_the_parameter"
    },
    "nothing but loopback without https": {
        _PROBE: "TestConfiguration::test_an_address_that_is_neither_loopback_nor_https_is_refused"
    },
    "an answer counts once, and output lands at its offset": {
        _SENSOR: "test_a_doubled_answer_changes_nothing_more test_output_is_placed_by_its_offset"
        " test_an_answer_that_was_overtaken_does_not_bring_a_session_back"
    },
    "one pump for each MID Server while somebody looks": {
        _PUMP: "test_nobody_watches_so_there_is_none test_looking_again_starts_no_second_one"
        " test_twenty_terminals_cost_as_many_rows_as_one test_without_a_viewer_the_last_answer_is_the_end"
    },
    "a session is pinned to the MID Server that is healthy, has a key, and is used least": {
        _API: "test_the_mid_server_with_the_fewest_sessions_is_chosen test_a_sick_one_is_passed_over"
        " test_one_without_the_users_key_is_passed_over"
    },
    "members of a cluster are refused": {_API: "test_a_member_of_a_cluster_is_refused"},
    "health goes to ecc_agent_issue": {
        _JOBS: "test_an_unhealthy_sidecar_is_one_issue_until_it_is_well_again"
    },
    "user keys stay sealed and are forgotten": {
        _API: "test_a_sealed_key_is_forgotten_once_it_is_stored test_only_pinned_sealing_keys_are_accepted"
    },
}

FIX_SCRIPTS: Promises = {
    "each mends only the difference": {
        _FIX: "TestRepair::test_what_is_missing_is_restored_and_nothing_else_is_touched"
        " TestRepair::test_what_differs_is_mended_and_told"
    },
    "a second run changes nothing": {_FIX: "TestSecondRun::test_changes_nothing"},
    "each can run dry": {_FIX: "TestDryRun::test_tells_and_does_nothing"},
    "elevation is asked for": {_FIX: "TestElevation::test_is_asked_for_before_anything_is_done"},
    "the self-check names what is wrong and what mends it": {
        _FIX: "TestSelfCheck::test_names_what_is_wrong_and_what_mends_it"
    },
    "uninstalling leaves nothing": {
        _FIX: "TestUninstall::test_without_the_switch_it_only_lists"
        " TestUninstall::test_leaves_nothing_and_the_app_can_be_installed_again"
    },
    "access rules cover every table and operation, and deny by default": {
        _OWN + "access.py": "test_every_table_and_operation_has_a_rule",
        _ROLES: "test_scripts_of_a_user_do_what_is_allowed test_the_table_api_is_closed_to_everybody",
        ACCESS: "test_without_a_rule_of_its_own_a_table_is_open_to_administrators_only",
    },
    "a user sees own sessions only": {
        _LOOP: "test_users_see_their_own_sessions_only test_another_users_session_is_the_same_as_none"
    },
    "nobody reads another's credential": {_ROLES: "test_nobody_reads_a_sealed_key_in_a_script"},
}

UPDATE_SET: Promises = {
    "the build makes one update set and the fix scripts": {
        _BUILD: "TestTheCommand::test_tells_what_it_wrote TestTheSet::test_holds_every_record_of_the_manifest"
    },
    "byte for byte the same each time": {
        _BUILD: "TestTheSet::test_is_the_same_when_built_again",
        "unit/app/test_updateset.py": "TestAgain::test_the_same_sources_give_the_same_bytes",
    },
    "lint finds newer JavaScript and what the house forbids": {
        _LINT: "test_each_fault_is_found_by_its_rule test_what_is_right_passes"
    },
    "both install the app on an empty instance, and a second run changes nothing": {
        _BUILD: "TestTheImport::test_leaves_nothing_for_the_fix_scripts_but_the_values",
        _FIX: "TestSecondRun::test_the_update_set_again_changes_nothing",
    },
}

INSTANCE: Promises = {
    "tables with dictionary, types, defaults and unique indexes": {
        _EMULATOR + "test_records_structure.py": "test_a_dictionary_entry_of_the_table_itself_makes_the_table"
        " test_a_unique_index_over_two_columns_refuses_the_second_row",
        RECORDS: "test_defaults_fill_what_was_not_set_and_only_that"
        " test_a_value_that_cannot_be_of_the_columns_type_is_refused",
    },
    "GlideRecord, elements, encoded queries, secure records": {
        ELEMENTS: "test_a_field_is_an_object_and_no_string",
        QUERIES: "test_encoded_queries",
        ACCESS: "test_secure_records_are_told_apart",
    },
    "GlideDateTime, gs, XMLDocument2, attachments": {
        SYSTEM: "test_moments_and_durations test_the_global_list_is_complete_and_no_longer",
        XML: "test_reading",
        _EMULATOR + "test_records_attachments.py": "test_what_was_written_is_read_by_its_name",
    },
    "properties, roles and access rules": {
        SYSTEM: "test_a_property_is_a_string_or_the_alternative",
        CONTROL: "test_a_user_has_the_roles_and_what_they_contain",
        ACCESS: "test_access_rules_are_written_with_elevation_only",
    },
    "business rules and scheduled jobs": {
        RULES: "test_rules_run_in_their_order",
        _EMULATOR
        + "test_jobs.py": "test_a_periodic_script_runs_again_and_again test_jobs_go_on_after_a_restart",
    },
    "Scripted REST with its quirks, and the Table API on the wire": {
        REST: "test_a_body_is_read_once",
        TABLE: "test_pages_have_a_total_and_links_to_each_other",
    },
    "the queue's life cycle by its own rules": {
        _QUEUE: "test_an_output_is_marked_when_a_mid_has_taken_it_and_when_it_was_answered"
        " test_one_message_marks_several_outputs"
    },
    "large payloads become attachments": {
        _SOAP: "test_a_large_field_becomes_an_attachment test_a_sensor_finds_the_attachment_of_a_new_row"
    },
    "delivery at least once": {
        _MID + "crash.py": "test_what_was_running_when_it_was_killed_is_run_again",
        _OWN + "regressions_again.py": "test_a_row_that_is_run_twice_has_one_effect",
    },
    "Discovery's sensor, if wanted": {
        _QUEUE: "test_discovery_knows_no_sensor_for_foreign_probes"
        " test_without_discovery_an_input_nobody_takes_stays_ready"
    },
    "the record watcher is a Bayeux endpoint": {AMB: "test_a_watcher_hears_what_changed_in_rows_that_fit"},
    "users sign in": {_EMULATOR + "test_signin.py": "test_the_form_asks_and_signs_in"},
    "it is installed by update set and fix scripts": {
        _SETS: "test_a_set_brings_tables_columns_and_what_uses_them_in_any_order"
        " test_access_controls_need_elevation",
        _LAUNCHER: "test_the_app_is_installed_for_a_user",
    },
    "newer JavaScript is refused": {ENGINE: "test_newer_syntax_is_refused_with_its_line"},
    "unknown columns are refused": {RECORDS: "test_an_unknown_column_is_an_error"},
    "a second read of a body is empty": {REST: "test_a_body_is_read_once"},
    "gs.sleep is refused": {SYSTEM: "test_a_method_of_neither_list_is_not_there"},
    "setValue on a password2 column is refused": {PASSWORDS: "test_set_value_throws"},
    "others' scripts run, or are told what is missing": {
        _EMULATOR + "test_strangers_scripts.py": "test_an_application_with_table_rule_and_rest_works"
        " test_a_report_counts_by_group test_a_script_is_told_what_is_missing",
        ENGINE: "test_names_of_other_hosts_are_not_there",
    },
    "others' update sets install, or are told what is missing": {
        _LAUNCHER: "test_an_update_set_of_somebody_else_is_committed",
        _SETS: "test_problems_are_named",
    },
    "others' REST clients work, or are told what is missing": {
        _EMULATOR + "test_strangers_rest.py": "test_a_row_is_inserted_read_changed_and_deleted"
        " test_interfaces_that_are_not_there_say_so",
        _EMULATOR + "test_signin.py": "test_nothing_else_is_at_the_instance_and_that_is_said",
    },
}

MID: Promises = {
    "ms and probe have their documented members": {
        _MID
        + "scope.py": "test_ms_has_exactly_its_documented_methods test_probe_gives_parameters_and_takes_nothing"
    },
    "MID Script Includes": {
        _MID + "scope.py": "test_an_include_is_there_by_its_name_when_it_is_first_used"
        " test_a_changed_include_is_fetched_again"
    },
    "config parameters, secure ones too": {
        _MID + "config.py": "test_secure_parameters_are_encrypted_in_place_and_read_in_clear"
        " test_a_parameter_wins_over_a_property_and_its_own_property_over_a_global_one"
    },
    "threads by priority": {
        _MID
        + "pickup.py": "test_urgent_and_old_outputs_come_first test_thread_maxima_bound_what_runs_at_once"
        " test_a_full_pool_does_not_hold_up_another_priority"
    },
    "pick-up by push, and by the poll without it": {
        _MID + "pickup.py": "test_a_push_message_makes_it_look_at_once"
        " test_without_the_push_channel_work_waits_for_the_poll"
        " test_with_push_switched_off_it_polls_every_five_seconds"
    },
    "a restart runs what was processing": {
        _MID + "crash.py": "test_what_was_running_when_it_was_killed_is_run_again"
        " test_what_is_being_processed_is_asked_for_at_the_start_only"
    },
    "the payload limit": {
        _MID + "crash.py": "test_an_answer_above_the_limit_stays_on_the_host_and_an_error_goes"
    },
    "the ECC firewall refuses": {
        _MID + "config.py": "test_a_rule_rejects_a_probe test_a_probe_without_a_rejecting_rule_runs"
    },
}

ON_DEMAND: Promises = {
    "latency": {
        CONTROL: "test_latency_is_half_before_and_half_after",
        _FAULTS: "test_over_a_slow_link_everything_arrives_once",
    },
    "push off": {
        AMB: "test_switched_off_it_refuses_and_ends_what_waits",
        _FAULTS: "test_without_the_push_channel_the_mid_finds_its_work_by_polling",
    },
    "MID Server stopped": {
        _MID + "crash.py": "test_a_stop_ends_cleanly_and_tells_the_instance",
        _RESTARTS: "test_a_mid_that_was_stopped_before_is_named_and_nothing_is_queued",
    },
    "sidecar stopped": {
        _RESTARTS: "test_a_sidecar_that_is_stopped_is_told_and_the_session_wakes_when_it_is_back"
    },
    "an answer lost": {
        _SOAP: "test_a_lost_answer_is_acknowledged_and_not_kept",
        _FAULTS: "test_a_lost_answer_is_told_and_what_it_carried_comes_all_the_same",
    },
    "an answer doubled": {
        _SOAP: "test_a_doubled_answer_is_there_twice",
        _FAULTS: "test_an_answer_that_comes_twice_counts_once",
    },
    "answers reordered": {
        _SOAP: "test_reordered_answers_come_together_and_backwards",
        _OWN + "order.py": "test_answers_that_overtake_each_other_leave_the_output_in_order",
    },
    "the instance answers 429": {
        TABLE: "test_a_rate_limit_answers_429_with_when_to_come_back",
        _MID + "crash.py": "test_a_limited_rate_is_waited_out_and_nothing_is_lost",
        _FAULTS: "test_an_instance_that_wants_to_be_left_alone_gets_its_answers_later",
    },
}

PROOFS: Promises = {
    "marker secrets are in no table, payload, log or address": {
        _OWN + "secrets.py": "test_no_table_of_the_instance_holds_a_secret"
        " test_no_file_holds_a_secret_but_the_one_that_has_to test_no_answer_and_no_address_holds_a_secret"
        " test_no_process_was_given_a_secret test_the_search_finds_what_is_there test_everything_was_used"
    },
    "bytes 0 to 255 make the round trip": {
        _OWN + "order.py": "test_every_byte_reaches_the_program_and_comes_back_as_it_was"
    },
    "20 commands at once from two tabs keep their order": {
        _OWN + "order.py": "test_twenty_commands_of_two_tabs_at_once_are_typed_once_and_in_each_tabs_order"
    },
    "5 MB arrive complete while a second session responds": {
        _OWN + "volume.py": "test_five_megabytes_arrive_complete_while_another_session_stays_responsive"
    },
    "MID Server stopped: said clearly, nothing twice, goes on": {
        _RESTARTS: "test_a_mid_that_was_stopped_before_is_named_and_nothing_is_queued"
        " test_a_mid_that_ends_in_mid_command_runs_it_again_and_the_program_gets_it_once"
    },
    "sidecar killed: said clearly, nothing twice, goes on": {
        _RESTARTS: "test_a_sidecar_killed_in_mid_command_leaves_the_outcome_open_and_says_so"
        " test_a_command_that_comes_again_to_a_sidecar_that_was_killed_is_not_typed_again"
    },
    "instance restarted in mid-command: said clearly, nothing twice, goes on": {
        _RESTARTS: "test_an_instance_that_restarts_in_mid_command_gets_the_answer_afterwards"
        " test_an_instance_that_restarts_in_mid_pump_misses_no_output"
    },
    "the same row run twice has one effect": {
        _OWN + "regressions_again.py": "test_a_row_that_is_run_twice_has_one_effect"
        " test_a_create_that_is_run_twice_makes_one_session"
    },
    "an answer of 100 KB, and one that became an attachment": {
        _OWN + "regressions_again.py": "test_an_answer_of_100_kb_arrives_whole"
        " test_an_answer_that_became_an_attachment_is_taken"
    },
    "a MID Server restarted in mid-job": {
        _OWN + "regressions_again.py": (
            "test_a_mid_that_is_killed_in_mid_job_does_it_again_and_it_is_done_once"
        )
    },
    "a POST that the sidecar reads and drops happens once": {
        _OWN + "regressions_again.py": "test_a_post_that_was_read_and_dropped_is_sent_once"
        " test_a_create_that_was_read_and_dropped_is_found_again"
    },
}

_PORTAL = "portal/test_"
_STORY = _PORTAL + "story.py"
_TERMINAL = _PORTAL + "terminal.py"
_WINDOWS = _PORTAL + "windows.py"
_OUTAGES = _PORTAL + "outages.py"
_NEWCOMER = "test_a_newcomer_comes_from_the_sign_in_to_claudes_answer"

PORTAL: Promises = {
    "from the sign-in over a stored key and a new terminal to Claude's answer": {_STORY: _NEWCOMER},
    "a permission menu is answered with the arrows": {_STORY: _NEWCOMER},
    "colours and styles are painted": {_TERMINAL: "test_cells_have_the_colours_and_styles_the_program_chose"},
    "every byte reaches the terminal, characters cut in two as well": {
        _TERMINAL: "test_every_byte_reaches_the_terminal_unchanged"
        " test_characters_cut_in_two_between_answers_are_whole_on_the_screen"
    },
    "keys typed fast stay in order and cost few rows": {
        _TERMINAL: "test_keys_typed_fast_stay_in_order_and_share_rows"
    },
    "a paste of 10 KB arrives whole": {_TERMINAL: "test_a_paste_of_10_kb_arrives_whole_in_its_brackets"},
    "arrows, Tab, Ctrl-C and Esc are what a terminal makes of them": {
        _TERMINAL: "test_special_keys_are_what_a_terminal_makes_of_them test_escape_interrupts_what_claude_does"
    },
    "long answers can be scrolled back": {
        _TERMINAL: "test_a_long_answer_is_painted_to_its_end_and_can_be_scrolled_back"
    },
    "only the sidecar answers a program's questions to its terminal": {
        _TERMINAL: "test_the_program_asks_the_terminal_and_only_one_answers"
    },
    "the program gets the window's size": {_TERMINAL: "test_the_program_gets_the_size_of_the_window"},
    "a reload finds the screen again": {
        _TERMINAL: "test_after_a_reload_the_screen_is_there_again_with_what_was_before"
    },
    "answers lost on the way to the page lose nothing": {
        _TERMINAL: "test_reads_whose_answers_are_lost_before_the_page_lose_no_output"
    },
    "push makes the page fetch": {_TERMINAL: "test_an_update_of_the_watched_row_alone_makes_the_page_fetch"},
    "without push the page asks by itself": {
        _OUTAGES: "test_without_the_push_channel_the_page_asks_by_itself"
    },
    "another user sees and hears nothing": {
        _WINDOWS: "test_another_user_sees_nothing_of_a_session test_another_users_watcher_hears_nothing"
    },
    "of two tabs one types, and the other may take over": {
        _WINDOWS: "test_a_second_tab_reads_along_until_it_takes_over"
        " test_a_tab_that_is_closed_leaves_the_keyboard_to_the_other"
    },
    "a MID Server, a sidecar or an instance that is down is told, and all goes on when it is back": {
        _OUTAGES: "test_a_mid_server_that_stops_is_told_and_goes_on_when_it_is_back"
        " test_a_sidecar_that_is_killed_is_told_and_the_session_goes_on"
        " test_an_instance_that_restarts_asks_to_sign_in_and_the_session_is_there_again"
    },
    "an ended session is said to have ended": {
        _OUTAGES: "test_a_session_that_another_ends_is_said_to_have_ended"
    },
    "keys alone suffice, and everything has a name": {
        _WINDOWS: "test_keys_alone_go_through_everything test_a_button_is_pressed_with_enter_and_with_space"
        " test_everything_that_can_be_used_has_a_name test_changes_of_state_are_told"
    },
    "no secret is in the page, in what the browser keeps, or on the network": {
        _STORY: _NEWCOMER + " test_the_search_finds_a_key_that_is_kept"
    },
    "administrators see how everything is, and nobody else does": {
        _STORY: "test_administrators_see_how_everything_is"
        " test_users_are_told_that_they_need_the_role_and_nothing_else"
    },
    "whatever a page complains about fails its test": {
        _PORTAL + "browser.py": "test_whatever_a_page_complains_about_is_heard test_no_name_is_looked_up"
    },
}

PARTS = {
    "app": APP,
    "proxy": PROXY,
    "fix scripts": FIX_SCRIPTS,
    "update set": UPDATE_SET,
    "instance": INSTANCE,
    "MID Server": MID,
    "on demand": ON_DEMAND,
    "proofs": PROOFS,
    "portal": PORTAL,
}

#: Faults of the predecessor, by the numbers that the tests' docstrings carry ("Regression 7: …").
REGRESSIONS = {
    1: "answers looked for among outputs, and read from a column `output`",
    2: "XML parsed as JSON",
    3: "a variable that hides the host's `probe`",
    4: "`execute()` without a value",
    5: "an HTTP class that no MID Server has",
    6: "`probe.setOutput` and `probe.setError`",
    7: "other parameter names on each side, and calls without the user",
    8: "token and key as parameters and properties",
    9: "waiting in a REST resource",
    10: "a list compared with a text",
    11: "writing to the request, and asking it for its method",
    12: "invented classes of the push channel",
    13: "access rules that protect a field called `read`",
    14: "a key in a short column, written with `setValue`",
    15: "fix scripts that stop when the table exists",
    16: "sys_ids that are none, and an update set without all files",
    17: "no `skip_sensor`",
    18: "reads that use up what they read",
    19: "escapes escaped once more",
    20: "two identities of a user",
    21: "a session id joined into an address unchecked",
}
#: Those of them that only a page can show; the portal's tests name them as well.
ON_PAGES = (12, 18, 19)
#: More of them, on the way through a MID Server.
BRIDGE_FAULTS = ("M1", "M2", "M3", "M4", "M7")
#: Those of its poller.
POLLER_FAULTS = ("P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9", "P10")
