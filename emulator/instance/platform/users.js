/**
 * Users as the platform sees them: who they are, which roles they have, whether a password is theirs.
 */

var cache = require('cache');
var password = require('platform/password');

/** How long a checked password is not hashed again: each Basic request carries it. */
var CHECKED_MS = 60000;
var CHECKED_MOST = 500;

/** @param {Object} platform with store and records */
exports.Users = function (platform) {
    this._store = platform.store;
    this._checked = new java.util.concurrent.ConcurrentHashMap();
    // Who asks is found out with every request, so what roles follow from is not read each time.
    this._rolesOf = pairs(platform, 'sys_user_has_role', 'user', 'role');
    this._groupsOf = pairs(platform, 'sys_user_grmember', 'user', 'group');
    this._rolesOfGroup = pairs(platform, 'sys_group_has_role', 'group', 'role');
    this._within = pairs(platform, 'sys_user_role_contains', 'role', 'contains');
    this._roleRows = cache.of(platform, 'sys_user_role', bySysId);
};

exports.Users.prototype = {
    /**
     * @returns {{sys_id: string, user_name: string, name: string, roles: Array<string>,
     *     elevated: Array<string>}|null} an active user
     */
    named: function (userName) {
        return this._user(this._one('sys_user', 'user_name', userName));
    },

    /** @returns {Object|null} the active user with that sys_id */
    withId: function (sysId) {
        return this._user(this._one('sys_user', 'sys_id', sysId));
    },

    /** @returns {Object|null} the user when the password is right, else null */
    signIn: function (userName, plain) {
        var row = this._one('sys_user', 'user_name', userName);
        return row !== null && this._matches(plain, row.user_password) ? this._user(row) : null;
    },

    /** @returns {{roles: Array<string>, elevated: Array<string>}} what a user has, and what elevation would add */
    roles: function (userId) {
        var rows = this._roles(userId);
        var names = rows.filter(function (row) { return row.elevated_privilege !== '1'; }).map(named);
        // [r_ExplicitRoles] everybody is internal who is not external
        return {
            roles: names.indexOf('snc_external') < 0 ? names.concat(['snc_internal']) : names,
            elevated: rows.filter(function (row) { return row.elevated_privilege === '1'; }).map(named)
        };
    },

    // Contained roles and those of groups too.
    _roles: function (userId) {
        var direct = this._rolesOf(userId);
        var found = {};
        var self = this;
        this._groupsOf(userId).forEach(function (group) {
            direct = direct.concat(self._rolesOfGroup(group));
        });
        direct.forEach(function (role) { self._collect(role, found); });
        return Object.keys(found).map(function (id) { return found[id]; });
    },

    _collect: function (roleId, found) {
        var row = found.hasOwnProperty(roleId) ? undefined : this._roleRows()['$' + roleId];
        var self = this;
        if (row !== undefined) {
            found[roleId] = row;
            this._within(roleId).forEach(function (inner) { self._collect(inner, found); });
        }
    },

    _user: function (row) {
        if (row === null || row.active !== '1' || row.locked_out === '1') {
            return null;
        }
        var held = this.roles(row.sys_id);
        return {
            sys_id: row.sys_id, user_name: row.user_name, name: row.name || row.user_name, email: row.email,
            roles: held.roles, elevated: held.elevated
        };
    },

    _matches: function (plain, stored) {
        var key = stored + digest(plain);
        var until = this._checked.get(key);
        if (until !== null && Number(until) > new Date().getTime()) {
            return true;
        }
        if (!password.matches(plain, stored)) {
            return false;
        }
        if (this._checked.size() >= CHECKED_MOST) {
            this._checked.clear();
        }
        this._checked.put(key, String(new Date().getTime() + CHECKED_MS));
        return true;
    },

    _one: function (table, column, value) {
        var rows = this._store.select(table, equal(column, value), {limit: 1});
        return rows.length > 0 ? rows[0] : null;
    }
};

/** Answers which values one column has in the rows that have a value in another one. */
function pairs(platform, table, key, wanted) {
    var index = cache.of(platform, table, function (rows) {
        return rows.reduce(function (found, row) {
            var name = '$' + row[key];
            found[name] = (found[name] || []).concat([row[wanted]]);
            return found;
        }, {});
    });
    return function (value) { return index()['$' + value] || []; };
}

/** The sign keeps a key apart from what every object has. */
function bySysId(rows) {
    return rows.reduce(function (found, row) {
        found['$' + row.sys_id] = row;
        return found;
    }, {});
}

function named(row) {
    return row.name;
}

function equal(column, value) {
    return {column: column, operator: '=', value: value};
}

function digest(plain) {
    var bytes = new java.lang.String(plain).getBytes('UTF-8');
    var hash = java.security.MessageDigest.getInstance('SHA-256').digest(bytes);
    return String(java.util.Base64.getEncoder().encodeToString(hash));
}
