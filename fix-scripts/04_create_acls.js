/**
 * The roles, then the access rules: one for each table and operation, so that what nobody allowed is denied.
 *
 * Access rules can only be written after elevating to security_admin (in the menu of one's own name, "Elevate role").
 * A rule of someone else's for our tables is not touched, but named: each one that passes opens the table further.
 */
(function () {
    var DRY_RUN = false; // true: only print what would be done
    /* include converge.js */

    var ROLES = /* wanted records sys_user_role sys_user_role_contains */ [];
    var RULES = /* wanted records sys_security_acl sys_security_acl_role */ [];
    var WANTED = ROLES.concat(RULES);

    function requireElevation(convergence) {
        if (!convergence.dryRun && !gs.hasRole('security_admin')) {
            throw new Error('Elevate to security_admin first: access rules cannot be written without it. ' +
                'Nothing was done.');
        }
    }

    function isOurs(convergence, sysId) {
        return WANTED.some(function (record) {
            return record.sys_id === sysId || convergence.actual[record.sys_id] === sysId;
        });
    }

    function printForeignRules(convergence) {
        var rule = new GlideRecord('sys_security_acl');
        rule.addEncodedQuery('nameSTARTSWITHx_claude_terminal_^active=true');
        rule.query();
        while (rule.next()) {
            if (!isOurs(convergence, rule.getUniqueValue())) {
                convergence.print('note: not of this application: sys_security_acl ' +
                    rule.getValue('name') + ' ' + rule.getValue('operation'));
            }
        }
    }

    var convergence = new Convergence(WANTED, DRY_RUN);
    requireElevation(convergence);
    convergence.run();
    printForeignRules(convergence);
})();
