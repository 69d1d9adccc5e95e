/**
 * Access rules of the type REST_Endpoint, which scripted REST resources name in `enforce_acl`.
 */

/** @param {Object} platform */
exports.EndpointAccess = function (platform) {
    this._platform = platform;
};

exports.EndpointAccess.prototype = {
    /**
     * @param {Object} user
     * @param {string} list sys_ids of rules, with commas; one that lets pass is enough
     * @returns {boolean} true as well when the list is empty
     */
    allows: function (user, list) {
        var ids = (list || '').split(',').filter(Boolean);
        return ids.length === 0 || ids.some(function (sysId) { return this._passes(user, sysId); }, this);
    },

    // A rule that is gone or inactive opens nothing.
    _passes: function (user, sysId) {
        var rule = this._platform.records.get('sys_security_acl', sysId);
        if (rule === null || rule.active !== '1') {
            return false;
        }
        if (user.roles.indexOf('admin') >= 0 && rule.admin_overrides === '1') {
            return true;
        }
        return this._hasRole(user, sysId) && this._agrees(rule);
    },

    _hasRole: function (user, ruleId) {
        var records = this._platform.records;
        var rows = this._platform.store.select('sys_security_acl_role', {
            column: 'sys_security_acl', operator: '=', value: ruleId
        });
        return rows.length === 0 || user.roles.indexOf('admin') >= 0 || rows.some(function (row) {
            var role = records.get('sys_user_role', row.sys_user_role);
            return role !== null && user.roles.indexOf(role.name) >= 0;
        });
    },

    _agrees: function (rule) {
        return rule.advanced !== '1' || !rule.script || this._platform.engine.runAcl(
            rule.script, 'sys_security_acl.' + rule.name, {scope: this._platform.scopes.nameOf(rule)}
        ) === true;
    }
};
