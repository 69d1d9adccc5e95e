/**
 * The signed-in session as scripts see it. [c_GlideSessionScopedAPI]
 */

/**
 * @param {Object} transaction
 * @returns {Object} what gs.getSession() answers
 */
exports.of = function (transaction) {
    return new GlideSession(transaction);
};

function GlideSession(transaction) {
    this._transaction = transaction;
}

GlideSession.prototype = {
    constructor: GlideSession,
    getClientData: function (name) {
        var data = this._transaction.session['$' + name];
        return data === undefined ? null : data;
    },
    putClientData: function (name, value) { this._transaction.session['$' + name] = String(value); },
    getLanguage: function () { return 'en'; },
    getTimeZoneName: function () { return 'UTC'; },
    getCurrentApplicationId: function () { return this._transaction.scope; },
    isInteractive: function () { return this._transaction.interactive; },
    isImpersonating: function () { return false; },
    isLoggedIn: function () { return this._transaction.user.user_name !== 'guest'; },
    toString: function () { return '[object GlideSession]'; }
};
