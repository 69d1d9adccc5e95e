/**
 * Makes users, as an administrator does in the form "New user".
 */

var failure = require('failure');
var password = require('platform/password');

exports.People = function (platform) {
    this._platform = platform;
};

exports.People.prototype = {
    /**
     * @param {Array<string>} roles names of roles that exist
     * @returns {string} the user's sys_id
     */
    add: function (userName, plain, roles, email) {
        var records = this._platform.records;
        var ids = roles.map(this._role, this);
        var sysId = records.insert('sys_user', {
            user_name: userName, name: userName, email: email, active: '1',
            user_password: password.hash(plain)
        });
        ids.forEach(function (role) {
            records.insert('sys_user_has_role', {user: sysId, role: role, state: 'active'});
        });
        return sysId;
    },

    _role: function (name) {
        var where = {column: 'name', operator: '=', value: name};
        var row = this._platform.store.select('sys_user_role', where)[0];
        if (row === undefined) {
            throw failure.error('there is no role ' + name);
        }
        return row.sys_id;
    }
};
