/**
 * Access rules: may this user do that with this row, or with this field of it? [t_CreateAnACLRule]
 *
 * A rule's name is `table`, `table.field`, `table.*` or `*`; its operation is a field of its own. Both the
 * row and, if one is asked for, the field must pass. Of several rules with the same name one is enough. What
 * no rule covers is refused, except a field nobody made a rule for: there the row's answer counts.
 */

var cache = require('./cache');
var own = require('./own');
var record = require('./glide/record');

/** @param {Object} platform with records, engine and context */
exports.open = function (platform) {
    var rules = cache.of(platform, 'sys_security_acl', byName);
    var roles = cache.of(platform, 'sys_security_acl_role', byRule);
    var names = cache.of(platform, 'sys_user_role', namesById);
    return new Access(platform, rules, function (rule) {
        return (roles()[rule.sys_id] || []).map(function (sysId) { return names()[sysId] || sysId; });
    });
};

function Access(platform, rules, rolesOf) {
    this._platform = platform;
    this._rules = rules;
    this._rolesOf = rolesOf;
}

Access.prototype = {
    /**
     * @param {{sys_id, user_name, roles: Array<string>}} user
     * @param {string} table
     * @param {string} operation 'create', 'read', 'write' or 'delete'
     * @param {Object|null} row the row in question; null when there is none yet
     * @param {string|null} field
     * @returns {boolean}
     */
    allowed: function (user, table, operation, row, field) {
        var request = {user: user, table: table, operation: operation, row: row};
        return this._row(request) && (!field || this._field(request, field));
    },

    /**
     * Which of these fields are allowed; none when the row is not. Asks about the row once.
     *
     * @param {Array<string>} names
     * @returns {Array<string>}
     */
    fields: function (user, table, operation, row, names) {
        var self = this;
        var request = {user: user, table: table, operation: operation, row: row};
        return this._row(request) ? names.filter(function (name) { return self._field(request, name); }) : [];
    },

    _row: function (request) {
        var rules = this._first([request.table, '*'], request.operation);
        return rules !== null && this._any(rules, request);
    },

    _field: function (request, field) {
        var table = request.table;
        var rules = this._first([table + '.' + field, table + '.*', '*.' + field, '*.*'], request.operation);
        return rules === null || this._any(rules, request);
    },

    /** The rules of the most specific name that has any. */
    _first: function (names, operation) {
        var all = this._rules();
        for (var i = 0; i < names.length; i++) {
            var found = all[names[i] + ' ' + operation];
            if (found) {
                return found;
            }
        }
        return null;
    },

    _any: function (rules, request) {
        var self = this;
        return rules.some(function (rule) { return self._passes(rule, request); });
    },

    _passes: function (rule, request) {
        var admin = request.user.roles.indexOf('admin') >= 0;
        if (admin && rule.admin_overrides === '1') {
            return true;
        }
        // An administrator has every role; only conditions and scripts can keep him out.
        return (admin || this._hasRole(rule, request.user)) && this._meets(rule, request) &&
            this._agrees(rule, request);
    },

    _hasRole: function (rule, user) {
        var wanted = this._rolesOf(rule);
        return !wanted.length || wanted.some(function (name) { return user.roles.indexOf(name) >= 0; });
    },

    _meets: function (rule, request) {
        if (!rule.condition) {
            return true;
        }
        var row = request.row || this._platform.records.blank(request.table);
        return this._platform.records.matches(request.table, rule.condition, row);
    },

    /** A script that fails refuses: an error must not open a door. */
    _agrees: function (rule, request) {
        var platform = this._platform;
        if (rule.advanced !== '1' || !rule.script) {
            return true;
        }
        var row = request.row || platform.records.blank(request.table);
        try {
            return platform.context.run(asUser(platform.context, request.user), function () {
                var name = 'sys_security_acl.' + rule.name + ' ' + rule.operation;
                return platform.engine.runAcl(rule.script, name, {
                    scope: platform.scopes.nameOf(rule),
                    bindings: {current: record.wrap(platform, request.table, own.copy(row))}
                }) === true;
            });
        } catch (error) {
            platform.log.error('acl', 'the script of ' + rule.name + ' ' + rule.operation + ' failed: ' +
                error.message);
            return false;
        }
    }
};

/** The running transaction when it is that user's already: its namespaces are built. */
function asUser(context, user) {
    if (context.running() && context.current().user.sys_id === user.sys_id) {
        return context.current();
    }
    return context.create({user: user});
}

function byName(rows) {
    var found = {};
    rows.filter(function (row) { return row.active === '1' && (row.type || 'record') === 'record'; })
        .forEach(function (row) {
            var key = row.name + ' ' + row.operation;
            found[key] = (found[key] || []).concat([row]);
        });
    return found;
}

function byRule(rows) {
    var found = {};
    rows.forEach(function (row) {
        found[row.sys_security_acl] = (found[row.sys_security_acl] || []).concat([row.sys_user_role]);
    });
    return found;
}

function namesById(rows) {
    var found = {};
    rows.forEach(function (row) { found[row.sys_id] = row.name; });
    return found;
}
