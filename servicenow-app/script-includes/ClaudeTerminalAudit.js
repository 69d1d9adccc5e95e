/** Who did what with sessions and keys. What is typed and what Claude prints is not in it. */
var ClaudeTerminalAudit = Class.create();

ClaudeTerminalAudit.prototype = {
    initialize: function () {
        this._table = new ClaudeTerminalTable('audit');
    },

    /**
     * @param {string} event such as session.create
     * @param {{user: string, session: string=, mid: string=, detail: string=}} about
     */
    write: function (event, about) {
        this._table.insert({event: event, user: about.user || '', session: about.session || '',
            mid_name: about.mid || '', detail: String(about.detail || '').substring(0, 1000)});
    },

    type: 'ClaudeTerminalAudit'
};
