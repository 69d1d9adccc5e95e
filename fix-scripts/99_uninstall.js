/**
 * Removes the application with all its data. It cannot be undone, so it needs a switch: set REMOVE to true, or put
 * `var FIX_OPTIONS = {remove: true};` before the script. Without it, what would be removed is listed, with numbers
 * of rows.
 *
 * End the users' sessions first: here they are forgotten, and go on at the sidecars until they are idle for long. Rows
 * in the ECC queue stay; the platform drops them after about a week. Needs elevation to security_admin.
 */
(function () {
    var REMOVE = false; // true: do it
    /* include converge.js */

    var WANTED = /* wanted everything */ [];
    /** Rows about the application that are no records of it: table, field, and which of ours it refers to. */
    var TRACES = [
        {table: 'sys_user_has_role', field: 'role', of: 'sys_user_role'},
        {table: 'sys_group_has_role', field: 'role', of: 'sys_user_role'},
        {table: 'sp_instance', field: 'sp_widget', of: 'sp_widget'}
    ];

    var convergence = new Convergence(WANTED, true);
    var remove = REMOVE || Convergence.option('remove');
    var removed = 0;
    var failed = 0;

    function requireElevation() {
        if (!gs.hasRole('security_admin')) {
            throw new Error('Elevate to security_admin first: access rules cannot be removed without it. ' +
                'Nothing was done.');
        }
    }

    function tell(what) {
        removed += 1;
        gs.info((remove ? 'removed ' : 'would remove ') + what);
    }

    function count(table, field, value) {
        var rows = new GlideAggregate(table);
        if (field) {
            rows.addQuery(field, value);
        }
        rows.addAggregate('COUNT');
        rows.query();
        return rows.next() ? Number(rows.getAggregate('COUNT')) : 0;
    }

    /** Without business rules: the rule of a session would queue calls for a MID Server. */
    function removeRows(table, field, value, what) {
        var number = count(table, field, value);
        var rows = new GlideRecord(table);
        if (!number) {
            return;
        }
        if (remove) {
            if (field) {
                rows.addQuery(field, value);
            }
            rows.setWorkflow(false);
            rows.deleteMultiple();
        }
        tell(number + ' rows of ' + what);
    }

    function removeTraces(record, sysId) {
        TRACES.forEach(function (trace) {
            if (trace.of === record.table && gs.tableExists(trace.table)) {
                removeRows(trace.table, trace.field, sysId, trace.table + ' for ' + record.name);
            }
        });
    }

    function removeRecord(record) {
        var row = convergence.find(record);
        if (row === null) {
            return;
        }
        removeTraces(record, row.getUniqueValue());
        if (remove && !row.deleteRecord()) {
            failed += 1;
            gs.info('failed ' + convergence.title(record) + ': ' +
                (row.getLastErrorMessage() || 'not removed'));
            return;
        }
        tell(convergence.title(record));
    }

    function removeData(record) {
        if (record.table === 'sys_db_object' && gs.tableExists(record.fields.name)) {
            removeRows(record.fields.name, '', '', record.fields.name);
        }
    }

    function removeIssues() {
        if (gs.tableExists('ecc_agent_issue')) {
            ['ClaudeTerminal', 'ClaudeTerminalPoller'].forEach(function (source) {
                removeRows('ecc_agent_issue', 'source', source, 'ecc_agent_issue of ' + source);
            });
        }
    }

    if (remove) {
        requireElevation();
    }
    WANTED.forEach(function (record) {
        var row = convergence.find(record);
        if (row !== null) {
            convergence.actual[record.sys_id] = row.getUniqueValue();
        }
    });
    WANTED.forEach(removeData);
    removeIssues();
    WANTED.slice().reverse().forEach(removeRecord); // what refers to another goes before it
    gs.info((remove ? 'removed ' : 'would remove ') + removed + ', failed ' + failed);
    if (!remove) {
        gs.info('Nothing was done. To do it, set REMOVE to true in the script.');
    }
    if (failed) {
        throw new Error(failed + ' records could not be removed; see the lines above.');
    }
})();
