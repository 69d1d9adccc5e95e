/**
 * GlideRecordSecure: GlideRecord under the access rules of the user it works for.
 * [r_ApplyACLsToAJAXGlideRecord]
 *
 * Rows that may not be read are not there, fields that may not be read are empty, writes that are not allowed
 * answer null and change nothing.
 */

var record = require('./record');
var trap = require('./trap');

/** Put GlideRecordSecure on a script's namespace. */
exports.install = function (scope, platform, scopeName) {
    scope.GlideRecordSecure = record.constructor(platform, 'GlideRecordSecure', METHODS,
        {scope: scopeName, policy: policy(platform)});
};

/** GlideRecord's methods under another identity, so that instanceof tells them apart. */
var METHODS = trap.members(Object.create(record.METHODS), {
    toString: function () { return '[object GlideRecordSecure]'; }
});

function policy(platform) {
    function user() { return platform.context.current().user; }

    return {
        readable: function (row, cursor) {
            if (!platform.acl.allowed(user(), cursor.table, 'read', row, null)) {
                return null;
            }
            var names = Object.keys(row);
            return shown(row, names, platform.acl.fields(user(), cursor.table, 'read', row, names));
        },
        writable: function (operation, row, changes, cursor) {
            // The rules judge the row as it is stored, not as the script would like it to be.
            var judged = operation === 'create' ? row : platform.records.get(cursor.table, row.sys_id);
            if (!platform.acl.allowed(user(), cursor.table, operation, judged, null)) {
                return null;
            }
            var names = Object.keys(changes);
            return kept(changes, platform.acl.fields(user(), cursor.table, operation, judged, names));
        }
    };
}

/** The row with what may not be read left empty. */
function shown(row, names, readable) {
    var result = {};
    names.forEach(function (name) { result[name] = null; });
    readable.forEach(function (name) { result[name] = row[name]; });
    return result;
}

/** The changes without those of fields that may not be written. */
function kept(changes, writable) {
    var result = {};
    writable.forEach(function (name) { result[name] = changes[name]; });
    return result;
}
