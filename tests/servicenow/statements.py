"""What is known of a ServiceNow instance, statement by statement, and the tests that hold the emulated one to it.

A statement is in our own words; its tests are by file below `tests/`, several apart by spaces. What is known and not
emulated is in `NOT_EMULATED`, with the words of the emulator's README that say so.
"""

from __future__ import annotations

Promises = dict[str, dict[str, str]]

_EMULATOR = "integration/emulator/"
ACCESS = _EMULATOR + "test_access.py"
AMB = _EMULATOR + "test_amb.py"
CONTROL = _EMULATOR + "test_control.py"
DOCUMENTED = _EMULATOR + "test_documented.py"
ELEMENTS = _EMULATOR + "test_records_elements.py"
ENGINE = _EMULATOR + "test_engine.py"
PASSWORDS = _EMULATOR + "test_records_passwords.py"
PAGES = _EMULATOR + "test_portal_browser.py"
PORTAL = _EMULATOR + "test_portal.py"
QUERIES = _EMULATOR + "test_queries.py"
RECORDS = _EMULATOR + "test_records.py"
REST = _EMULATOR + "test_scripted_rest.py"
RULES = _EMULATOR + "test_rules.py"
SYSTEM = _EMULATOR + "test_system.py"
TABLE = _EMULATOR + "test_table_api.py"
XML = _EMULATOR + "test_xml.py"

RECORD: Promises = {
    "GlideRecord has the documented methods to query, write, read and test": {
        DOCUMENTED: "test_every_method_of_a_record_is_there",
        RECORDS: "test_a_method_that_is_not_provided_is_a_type_error",
    },
    "get finds by sys_id and by a field": {QUERIES: "test_get_finds_by_sys_id_and_by_a_field"},
    "addQuery takes two or three arguments": {QUERIES: "test_add_query_takes_two_or_three_arguments"},
    "addQuery returns a condition that takes alternatives": {
        DOCUMENTED: "test_a_condition_is_what_add_query_returns",
        QUERIES: "test_query_methods",
    },
    "null, not null and active queries, orders, limits and windows": {QUERIES: "test_query_methods"},
    "_query and _next are the same as query and next": {
        DOCUMENTED: "test_the_names_that_a_column_cannot_hide_do_the_same"
    },
    "hasNext and getRowCount": {QUERIES: "test_has_next_next_and_row_count"},
    "initialize and newRecord": {RECORDS: "test_new_record_has_defaults_and_an_id_and_initialize_has_not"},
    "insert answers the sys_id, or null": {
        RECORDS: "test_insert_returns_the_sys_id_and_fills_what_every_row_has"
        " test_a_unique_index_refuses_with_null_and_says_why test_a_rule_that_aborts_makes_insert_answer_null"
    },
    "update answers the sys_id": {
        RECORDS: "test_update_writes_changes_and_counts_them"
        " test_an_update_that_breaks_a_unique_index_answers_null_and_changes_nothing"
    },
    "updateMultiple, deleteRecord and deleteMultiple": {
        RECORDS: "test_update_multiple_writes_to_all_rows_of_the_query_and_no_others"
        " test_delete_record_and_delete_multiple_remove_what_they_stand_on"
    },
    "setNewGuidValue chooses the sys_id": {RECORDS: "test_set_new_guid_value_chooses_the_sys_id"},
    "setWorkflow(false) leaves rules out": {
        RECORDS: "test_set_workflow_false_leaves_the_business_rules_out",
        RULES: "test_set_workflow_false_leaves_rules_out",
    },
    "autoSysFields is global only": {RECORDS: "test_auto_sys_fields_keeps_given_times_and_is_global_only"},
    "setAbortAction stops the write": {
        RULES: "test_a_rule_that_aborts_stops_the_write_and_the_rules_behind"
        " test_an_aborted_update_and_delete_leave_the_row"
    },
    "getValue is a string or null": {RECORDS: "test_get_value_is_a_string_or_null"},
    "display values": {RECORDS: "test_display_values"},
    "getElement is the element": {ELEMENTS: "test_get_element_is_the_same_element"},
    "the last error is told": {RECORDS: "test_a_unique_index_refuses_with_null_and_says_why"},
    "operation names the write": {RECORDS: "test_operation_names_the_write_in_a_rule_and_nothing_elsewhere"},
    "what a record tells of itself and of the user's rights": {RECORDS: "test_the_tests_of_a_record"},
    "an unknown field in a query is dropped silently": {
        QUERIES: "test_unknown_fields_are_dropped_and_then_everything_is_selected"
    },
    "which with deleteMultiple means too many rows": {
        QUERIES: "test_an_unknown_field_makes_delete_multiple_delete_everything"
    },
    "unless the property says that such a query returns no rows": {
        QUERIES: "test_with_the_property_an_unknown_field_selects_nothing"
    },
    "encoded queries have their operators, and others are refused": {
        QUERIES: "test_encoded_queries test_a_row_in_hand_fits_the_query_that_would_select_it"
        " test_what_is_no_query_is_refused_by_name test_an_unknown_operator_is_refused"
    },
}

ELEMENT: Promises = {
    "a field is a live object, not a string": {
        ELEMENTS: "test_a_field_is_an_object_and_no_string"
        " test_elements_pushed_into_an_array_change_with_the_next_row"
    },
    "'' + field and getValue are its text": {
        ELEMENTS: "test_a_field_is_an_object_and_no_string",
        RECORDS: "test_get_value_is_a_string_or_null",
    },
    "it has the documented members, and none of a string": {
        DOCUMENTED: "test_every_member_of_an_element_is_there",
        ELEMENTS: "test_an_element_has_no_members_of_a_string",
    },
    "changes, changesFrom, changesTo": {ELEMENTS: "test_changes_changes_from_and_changes_to"},
    "nil": {ELEMENTS: "test_nil_is_true_for_empty"},
    "setDisplayValue": {ELEMENTS: "test_a_reference_can_be_set_by_its_display_value"},
    "getDecryptedValue": {PASSWORDS: "test_what_was_written_is_read_again"},
    "getRefRecord": {
        ELEMENTS: "test_a_reference_leads_to_its_record test_an_empty_reference_leads_to_an_empty_record"
    },
    "GlideRecordSecure enforces access rules": {
        ACCESS: "test_one_rule_opens_one_operation_to_its_role"
        " test_secure_writes_that_are_not_allowed_answer_null_and_change_nothing"
        " test_secure_writes_that_are_allowed_happen test_a_field_needs_the_row_and_its_own_rule"
    },
    "GlideRecord in a server script goes past them": {
        ACCESS: "test_plain_glide_record_in_a_server_script_is_not_held_back"
    },
}

GS: Promises = {
    "gs has the documented methods and no others": {SYSTEM: "test_the_global_list_is_complete_and_no_longer"},
    "print, log, nowDateTime and minutesAgo fail in an application": {
        SYSTEM: "test_a_global_method_is_refused_in_an_application"
    },
    "gs.sleep is in neither list": {SYSTEM: "test_a_method_of_neither_list_is_not_there"},
    "properties are read with an alternative, and written": {
        SYSTEM: "test_a_property_is_a_string_or_the_alternative test_a_property_changed_as_a_row_is_read_anew"
    },
    "who the user is, and which roles they have": {
        SYSTEM: "test_the_user_is_known_by_three_names test_a_user_has_the_roles_given"
        " test_an_administrator_has_all_roles_but_the_elevated"
    },
    "logging, messages, nil, base64, GUIDs, tables, sessions": {
        SYSTEM: "test_a_log_line_is_filled_in_printed_and_kept test_messages_are_filled_in test_nothing_is_nil"
        " test_something_is_not_nil test_base64_is_of_utf8_and_back test_a_guid_is_32_hex_digits_and_new"
        " test_tables_can_be_asked_for test_a_session_keeps_what_a_script_puts_into_it"
    },
    "events are queued now and for later": {
        _EMULATOR + "test_jobs.py": "test_an_event_runs_its_script_actions_with_event_and_current"
        " test_a_scheduled_event_waits_for_its_moment"
    },
    "xmlToJSON, minutesAgoStart and minutesAgoEnd": {
        XML: "test_a_document_becomes_json",
        SYSTEM: "test_minutes_begin_and_end",
    },
    "preferences are global only": {
        SYSTEM: "test_a_users_preference_comes_before_everybodys"
        " test_a_global_method_is_refused_in_an_application"
    },
}

REQUEST: Promises = {
    "a body is consumed once, by whichever accessor": {REST: "test_a_body_is_read_once"},
    "query parameters are lists": {REST: "test_query_parameters_are_lists"},
    "path parameters are strings": {REST: "test_path_parameters_are_decoded_strings"},
    "query string, headers, addresses and accepted types": {
        REST: "test_query_parameters_are_lists test_headers_uri_and_types"
    },
    "there is no getRequestMethod, and nothing can be set": {
        REST: "test_what_is_not_documented_is_not_there_and_nothing_can_be_set"
    },
    "one resource for each method and path": {
        REST: "test_method_and_path_choose_the_resource_and_words_go_before_variables"
        " test_what_no_resource_takes_is_refused"
    },
    "a body over the limit is 400, but not as a stream": {
        REST: "test_a_body_over_the_limit_is_400_unless_it_is_a_stream"
    },
    "GET does not change data": {
        "servicenow/test_rest.py": "test_reading_output_changes_nothing",
        "servicenow/test_ownership.py": "test_a_get_changes_nothing",
    },
}

RESPONSE: Promises = {
    "a status that is no number becomes 0": {
        REST: "test_a_status_that_is_no_number_becomes_0_which_cannot_be_sent"
    },
    "a body of JSON stands under `result`": {
        REST: "test_a_body_stands_under_result_with_status_and_headers"
        " test_a_text_of_another_type_is_sent_without_result"
    },
    "content type, headers and location are set": {
        REST: "test_a_body_stands_under_result_with_status_and_headers"
    },
    "a stream writer, with status and headers set before": {REST: "test_a_stream_is_sent_as_it_is"},
    "request and response cannot be a body": {REST: "test_request_and_response_cannot_be_sent"},
    "sn_ws_err has an error for each of five statuses": {
        REST: "test_the_platform_s_errors_have_their_status"
    },
    "ServiceError has what is set": {REST: "test_a_service_error_has_what_is_set"},
    "an error has message, detail and `failure`": {
        REST: "test_a_service_error_has_what_is_set test_another_error_is_500_with_script_and_line"
    },
    "a 404 may hide what a rule does not show": {
        TABLE: "test_rows_and_columns_a_user_may_not_read_are_not_there"
    },
    "a resource has the fields of an export": {DOCUMENTED: "test_a_resource_has_the_fields_of_an_export"},
    "a resource is one function, called at the end": {
        DOCUMENTED: "test_every_resource_of_ours_is_one_function_that_is_called"
    },
}

WIRE: Promises = {
    "the address of a table and a row": {TABLE: "test_an_insert_answers_201_with_the_row_and_where_it_is"},
    "query and fields": {
        TABLE: "test_fields_may_lie_behind_references_and_unknown_ones_are_left_out"
        " test_a_column_by_its_name_is_a_condition test_unknown_fields_of_a_query_are_dropped_silently"
    },
    "limit and offset, with a total and links": {TABLE: "test_pages_have_a_total_and_links_to_each_other"},
    "the links can be left out": {TABLE: "test_the_links_can_be_left_out"},
    "display values": {TABLE: "test_display_values"},
    "a view is taken": {DOCUMENTED: "test_a_view_is_taken_and_changes_nothing"},
    "references are links unless they are excluded": {
        TABLE: "test_references_are_links_unless_they_are_excluded"
    },
    "200, 201 and 204": {
        TABLE: "test_an_insert_answers_201_with_the_row_and_where_it_is test_an_update_answers_200_with_the_row"
        " test_a_deletion_answers_204_with_nothing_and_then_404"
    },
    "an empty list is 200, and 404 in version 1": {TABLE: "test_an_empty_list_is_a_404_in_version_1_only"},
    "a write without a right is 403": {TABLE: "test_writes_without_a_right_are_403"},
    "a rate limit is 429 with Retry-After and its headers": {
        TABLE: "test_a_rate_limit_answers_429_with_when_to_come_back"
    },
}

PASSWORD2: Promises = {
    "setDisplayValue writes and getDecryptedValue reads": {PASSWORDS: "test_what_was_written_is_read_again"},
    "setValue must not be used": {PASSWORDS: "test_set_value_throws"},
    "nor GlideEncrypter": {DOCUMENTED: "test_what_is_not_provided_is_refused_by_its_name"},
    "in the scope of the table": {PASSWORDS: "test_another_scope_cannot_read_it"},
    "lengths around 125 characters are no special case": {PASSWORDS: "test_what_was_written_is_read_again"},
    "getValue is ciphertext": {PASSWORDS: "test_the_value_is_ciphertext_everywhere_else"},
    "authenticated encryption: the same secret differs each time": {
        PASSWORDS: "test_the_same_secret_is_stored_differently_each_time"
        " test_the_database_holds_no_plain_text_and_a_restart_can_still_read_it"
    },
    "REST never answers it": {
        PASSWORDS: "test_rest_never_answers_it",
        TABLE: "test_a_password2_column_is_kept_and_never_given_away",
    },
}

CLASSES: Promises = {
    "rules run before, after and async": {
        RULES: "test_a_before_rule_changes_what_is_written test_an_after_rule_sees_the_row_written"
        " test_an_async_rule_runs_later_without_previous_as_the_same_user"
    },
    "display rules are refused: there are no forms": {
        DOCUMENTED: "test_a_display_rule_is_refused_in_the_log"
    },
    "previous is null on insert and in async rules": {
        RULES: "test_previous_is_null_on_insert_and_the_old_row_on_update"
        " test_an_async_rule_runs_later_without_previous_as_the_same_user"
    },
    "a condition says current.field.changes()": {
        RULES: "test_a_condition_reads_changes_of_current test_a_bare_field_in_a_condition_is_a_reference_error"
    },
    "XMLDocument2 and its nodes have the documented methods and no others": {
        XML: "test_the_documented_methods_and_no_others"
    },
    "documents are read and written": {XML: "test_reading test_writing"},
    "getFirstNode takes predicates of attributes and values, not positions": {
        XML: "test_reading test_what_fails_on_the_platform_fails_here"
    },
    "a method on a missing node throws": {XML: "test_what_fails_on_the_platform_fails_here"},
    "CDATA can be told apart": {XML: "test_cdata_can_be_kept_apart"},
    "GlideXMLDocument and its like are global only": {XML: "test_global_classes_are_not_in_an_application"},
    "an Ajax processor is extended": {ENGINE: "test_an_ajax_processor_can_be_extended"},
}

WATCHER: Promises = {
    "a channel names table and filter in base64": {AMB: "test_a_watcher_hears_what_changed_in_rows_that_fit"},
    "some tables cannot be watched": {AMB: "test_some_tables_cannot_be_watched"},
    "only changed and derived fields are told, in their form": {
        AMB: "test_a_watcher_hears_what_changed_in_rows_that_fit"
    },
    "it listens at /amb, without a slash": {AMB: "test_where_it_listens"},
    "a cookie is the only way in": {AMB: "test_a_password_counts_for_nothing"},
    "an Origin is required": {AMB: "test_an_origin_is_required"},
    "a stranger's handshake succeeds, and says so": {
        AMB: "test_a_stranger_s_handshake_succeeds_and_the_subscription_fails"
        " test_a_signed_in_session_is_told_so"
    },
    "without a subscription: 404::message_deleted": {
        AMB: "test_a_stranger_s_handshake_succeeds_and_the_subscription_fails"
        " test_another_session_cannot_use_a_client"
    },
    "publish and AMB.subscribe are invented": {
        AMB: "test_what_is_missing_is_named",
        "servicenow/test_regressions_rest.py": "test_no_class_of_the_push_channel_is_invented",
    },
    "push is a counter in a watched row, without output": {
        "servicenow/test_regressions_rest.py": ("test_an_update_of_the_row_alone_tells_the_browser_to_fetch"),
    },
    "the watcher needs the right to read the row": {
        AMB: "test_rows_and_columns_a_user_may_not_read_are_not_told",
        "servicenow/test_roles.py": "test_watching_a_session_tells_its_owner_alone",
    },
}

WIDGETS: Promises = {
    "template, client script, server script, css and link": {
        PORTAL: "test_a_page_brings_its_widgets_with_their_data",
        PAGES: "test_client_scripts_run_in_each_form test_a_widget_has_its_libraries_before_it_runs_and_its_css_to_itself",
    },
    "a call of a widget is answered with its data, in the session of its user": {
        PORTAL: "test_what_a_widget_sends_is_its_input test_a_call_needs_the_token_of_the_session",
        PAGES: "test_a_widget_calls_its_server_script",
    },
    "libraries come as dependencies, in their order": {PORTAL: "test_dependencies_come_in_their_order"},
    "a UI script loses what looks like a reference": {
        PORTAL: "test_a_ui_script_loses_what_looks_like_a_reference",
        "unit/app/test_library.py": "test_template_literals_become_additions",
    },
    "xterm sets a global where there are no modules": {
        "unit/app/test_library.py": "test_a_page_without_modules_gets_the_class_as_a_global"
    },
    "spUtil.recordWatch tells changes in the documented shape, and ends with its widget": {
        PAGES: "test_a_changed_row_is_told_in_the_documented_shape"
        " test_several_watches_share_one_poll_and_end_with_their_widget"
    },
}

#: Rules for a poller that is no MID Server.
POLLER: Promises = {
    "its agent is no MID Server's, and nobody else's rows are read": {
        "servicenow/test_claim.py": "test_only_its_own_open_calls_are_given test_two_names_do_not_see_each_others_rows"
    },
    "the oldest row first, and the rows of a session one after the other": {
        "servicenow/test_claim.py": (
            "test_rows_come_oldest_first_in_whichever_order_they_were_stored"
            " test_another_gets_neither_the_row_nor_a_later_one_of_its_session"
        )
    },
    "a claim is one transaction, which one of many wins": {
        "servicenow/test_claim.py": (
            "test_of_many_that_claim_at_once_each_row_goes_to_one_and_each_session_to_one"
        )
    },
    "a claim is a lease; after it the row is free again": {
        "servicenow/test_claim.py": "test_what_a_dead_poller_held_goes_to_another_and_is_lost_to_it"
    },
    "exactly one input for each output": {
        "servicenow/test_complete.py": (
            "test_answers_at_the_same_moment_are_one test_an_answer_that_came_another_way_stays_the_only_one"
            " test_who_wakes_after_another_took_over_is_told_that_its_lease_is_lost"
        )
    },
    "a role with little right; rows rotate away": {
        "servicenow/test_claim.py": (
            "test_a_poller_reads_and_writes_no_table test_a_row_that_rotated_away_is_answered_by_nobody"
        )
    },
    "no secret in a payload; errors stand in error_string": {
        "servicenow/test_claim.py": "test_a_key_goes_to_a_poller_sealed",
        "servicenow/test_complete.py": "test_what_went_wrong_stands_in_its_own_column",
    },
    "two bridges side by side": {
        "servicenow/test_ways.py": (
            "test_a_session_keeps_the_bridge_it_began_with test_each_way_has_a_pump_of_its_own"
            " test_a_poller_that_falls_silent_takes_its_own_sessions_with_it"
        )
    },
}

SECTIONS = {
    "4.1": RECORD,
    "4.2": ELEMENT,
    "4.3": GS,
    "4.4": REQUEST,
    "4.5": RESPONSE,
    "4.6": WIRE,
    "4.7": PASSWORD2,
    "4.8": CLASSES,
    "4.9": WATCHER,
    "4.10": WIDGETS,
    "7.2": POLLER,
}

#: A statement → the words in the emulator's README that say it is not covered.
NOT_EMULATED = {
    "a Table API call is cut at 60 s; rates are counted; AMB and SOAP have semaphores": (
        "quotas and the semaphores of a node"
    ),
    "RESTMessageV2 through a MID Server blocks, and at most 30 s": "sn_ws.RESTMessageV2",
    "key management decides who may decrypt": "key\n  management (KMF)",
    "forms have display rules": "so neither\n  do display rules",
}
