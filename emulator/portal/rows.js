/**
 * How the portal's own tables are read: equal values, in order.
 */

/**
 * @param {Object} platform
 * @param {string} table
 * @param {Object} values column → value
 * @returns {Array<Object>} rows by their column `order`, where there is one; inactive ones are left out
 */
exports.of = function (platform, table, values) {
    var rows = platform.store.select(table, require('query').equal(values));
    return rows.filter(function (row) { return row.active !== '0'; }).sort(function (one, other) {
        return Number(one.order || 0) - Number(other.order || 0) || (one.sys_id < other.sys_id ? -1 : 1);
    });
};

/** @returns {Object|null} the first row with these values */
exports.one = function (platform, table, values) {
    return exports.of(platform, table, values)[0] || null;
};

/**
 * @param {Object} user
 * @param {string|null} roles separated by commas; none = everybody
 * @returns {boolean} whether one of them is the user's. Administrators have all.
 */
exports.permits = function (user, roles) {
    var wanted = String(roles || '').split(',').map(function (role) { return role.trim(); }).filter(Boolean);
    return wanted.length === 0 || user.roles.indexOf('admin') >= 0 ||
        wanted.some(function (role) { return user.roles.indexOf(role) >= 0; });
};

/** @returns {Object} the object behind a JSON column; an empty one when it holds none */
exports.parsed = function (text) {
    try {
        return JSON.parse(text || '{}') || {};
    } catch (error) {
        return {};
    }
};
