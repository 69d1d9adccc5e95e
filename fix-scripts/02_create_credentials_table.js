/**
 * The tables of keys: credential (what is known of users' API keys, never one that could be read) and mid_status
 * (the public keys of the sidecars, and their health), with their columns and indexes.
 *
 * Rows of before there were pollers went by MID Servers; here they are told so, after script 01 has made the column.
 */
(function () {
    var DRY_RUN = false; // true: only print what would be done
    /* include converge.js */

    var WANTED = /* wanted table credential mid_status */ [];
    var convergence = new Convergence(WANTED, DRY_RUN);

    /** When the application has already made a row that tells of the bridge, it has replaced the old one. */
    function tell(row) {
        row.setValue('bridge', 'mid');
        row.setWorkflow(false);
        if (!row.update()) {
            row.deleteRecord();
        }
    }

    function fill(table) {
        var row = new GlideRecord(table);
        var rows = 0;
        row.addNullQuery('bridge');
        row.query();
        while (row.next()) {
            rows += 1;
            if (!convergence.dryRun) {
                tell(row);
            }
        }
        if (rows) {
            convergence.print((convergence.dryRun ? 'would update ' : 'updated ') + table + ': ' + rows +
                ' rows, bridge (empty) → mid');
        }
    }

    convergence.run();
    ['mid_status', 'session', 'request'].map(function (name) {
        return 'x_claude_terminal_' + name;
    }).filter(function (table) {
        // A table or column that a dry run only tells of is not there.
        return gs.tableExists(table) && new GlideRecord(table).isValidField('bridge');
    }).forEach(fill);
})();
