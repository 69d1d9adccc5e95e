/** What went wrong lately, and who did what: pages for an administrator. */
var ClaudeTerminalJournal = Class.create();

ClaudeTerminalJournal.prototype = {
    ERRORS: 20,
    PAGE: 20,
    EVENTS: 50,
    LONGEST: 100,
    /** What a text is looked for in. */
    COLUMNS: ['user.name', 'user.user_name', 'session', 'mid_name', 'detail'],

    initialize: function () {
        this._clock = new ClaudeTerminalClock();
    },

    /**
     * The application's own calls are left out: an outage fails them every few seconds, and MID Servers tell.
     *
     * @returns {Object[]} the newest failed calls of users
     */
    errors: function () {
        var request = new ClaudeTerminalTable('request').query({state: 'failed'});
        var found = [];
        request.addNotNullQuery('user');
        request.orderByDesc('sys_created_on');
        request.setLimit(this.ERRORS);
        request.query();
        while (request.next()) {
            found.push(this._error(request));
        }
        return found;
    },

    /**
     * @param {{offset: number=, event: string=, text: string=}} wanted
     * @returns {{items: Object[], total: number, offset: number, limit: number, events: string[]}}
     */
    audit: function (wanted) {
        var filter = {event: this._text(wanted.event), text: this._text(wanted.text)};
        var total = this._total(filter);
        var offset = Math.max(0, Math.min(Math.floor(Number(wanted.offset)) || 0, total - 1));
        offset -= offset % this.PAGE;
        return {items: this._page(filter, offset), total: total, offset: offset, limit: this.PAGE,
            events: this._events()};
    },

    _error: function (request) {
        var problem = this._problem(request.getValue('answer'));
        return {id: request.getUniqueValue(), op: request.getValue('op'),
            at: this._clock.told(request.getValue('sys_created_on')),
            status: Number(request.getValue('status')) || null, title: problem.title || 'Failed',
            detail: problem.detail || '', user: this._name(request, 'user'),
            mid: request.getValue('mid_name') || ''};
    },

    _problem: function (answer) {
        try {
            return JSON.parse(answer || 'null') || {};
        } catch (e) {
            return {}; // cut off where its column ends
        }
    },

    _page: function (filter, offset) {
        var entry = new GlideRecord('x_claude_terminal_audit');
        var found = [];
        this._narrow(entry, filter);
        entry.orderByDesc('sys_created_on');
        entry.orderBy('sys_id'); // entries of one second keep their pages
        entry.chooseWindow(offset, offset + this.PAGE);
        entry.query();
        while (entry.next()) {
            found.push({id: entry.getUniqueValue(), at: this._clock.told(entry.getValue('sys_created_on')),
                event: entry.getValue('event') || '', user: this._name(entry, 'user'),
                session: entry.getValue('session') || '', mid: entry.getValue('mid_name') || '',
                detail: entry.getValue('detail') || '', by: entry.getValue('sys_created_by') || ''});
        }
        return found;
    },

    _total: function (filter) {
        var total = new GlideAggregate('x_claude_terminal_audit');
        this._narrow(total, filter);
        total.addAggregate('COUNT');
        total.query();
        return total.next() ? Number(total.getAggregate('COUNT')) : 0;
    },

    /** @returns {string[]} names of events that there are */
    _events: function () {
        var total = new GlideAggregate('x_claude_terminal_audit');
        var found = [];
        total.addAggregate('COUNT');
        total.groupBy('event');
        total.orderBy('event');
        total.query();
        while (total.next() && found.length < this.EVENTS) {
            found.push(total.getValue('event') || '');
        }
        return found;
    },

    _narrow: function (query, filter) {
        var condition;
        if (filter.event) {
            query.addQuery('event', filter.event);
        }
        if (filter.text) {
            condition = query.addQuery('event', 'CONTAINS', filter.text);
            this.COLUMNS.forEach(function (column) {
                condition.addOrCondition(column, 'CONTAINS', filter.text);
            });
        }
    },

    /** The platform runs `javascript:` in the value of a query, and `^` begins the next condition. */
    _text: function (given) {
        var text = String(given === undefined || given === null ? '' : given);
        return text.replace(/\^/g, '').replace(/^(\s*javascript:)+/i, '').trim().substring(0, this.LONGEST);
    },

    /** @returns {string} '' for the application itself */
    _name: function (record, column) {
        return record.getValue(column) ? String(record.getDisplayValue(column)) : '';
    },

    type: 'ClaudeTerminalJournal'
};
