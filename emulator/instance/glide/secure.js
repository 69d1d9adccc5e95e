/**
 * GlideRecordSecure: GlideRecord under the access rules of the user it works for. [r_ApplyACLsToAJAXGlideRecord]
 *
 * Rows that may not be read are not there, fields that may not be read are empty, writes that are not allowed answer
 * null and change nothing.
 */

var record = require('./record');
var trap = require('./trap');

/** Put GlideRecordSecure on a script's namespace. */
exports.install = function (scope, platform) {
    scope.GlideRecordSecure = record.constructor(platform, 'GlideRecordSecure', METHODS, policy(platform));
};

/** GlideRecord's methods under another identity, so that instanceof tells them apart. */
var METHODS = trap.members(Object.create(record.METHODS), {
    toString: function () { return '[object GlideRecordSecure]'; }
});

function policy(platform) {
    function may(cursor, operation, row, field) {
        return platform.acl.allowed(platform.context.current().user, cursor.table, operation, row, field);
    }

    return {
        readable: function (row, cursor) {
            return may(cursor, 'read', row, null) ? visible(row, cursor, may) : null;
        },
        writable: function (operation, row, changes, cursor) {
            if (!may(cursor, operation, stored(platform, cursor, operation), null)) {
                return null;
            }
            return operation === 'delete' ? changes : permitted(operation, row, changes, cursor, may);
        }
    };
}

/** The rules judge the row as it is stored, not as the script would like it to be. */
function stored(platform, cursor, operation) {
    return operation === 'create' ? cursor.values : platform.records.get(cursor.table, cursor.values.sys_id);
}

function visible(row, cursor, may) {
    var shown = {};
    Object.keys(row).forEach(function (name) {
        shown[name] = row[name] !== null && may(cursor, 'read', row, name) ? row[name] : null;
    });
    return shown;
}

/** Changes of fields that may not be written are left out. */
function permitted(operation, row, changes, cursor, may) {
    var kept = {};
    Object.keys(changes).forEach(function (name) {
        if (may(cursor, operation, row, name)) {
            kept[name] = changes[name];
        }
    });
    return kept;
}
