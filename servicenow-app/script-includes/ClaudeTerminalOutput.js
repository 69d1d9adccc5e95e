/**
 * A session's output as the instance holds it: rows without gaps, each beginning where the one before ends.
 * Bytes that are not here are a row too, with `dropped` and no data.
 *
 * Answers come late, twice and in any order, so a piece is placed by its offset: what is stored already is
 * cut off, what lies ahead is left out (the pump asks from where the instance has got to, and brings it
 * again). Two threads that add at the same moment are decided by the unique index on session and start.
 *
 * @typedef {Object} Piece
 * @property {string} data base64
 * @property {number} nextCursor the offset behind the data
 * @property {number} dropped bytes before the data that are gone
 */
var ClaudeTerminalOutput = Class.create();

ClaudeTerminalOutput.prototype = {
    MOST_BYTES: 65536,
    LARGE_BYTES: 16384, // a row of this size is answered alone, without joining it to others
    LONGEST_DATA: 200000,
    TRIM_EACH_BYTES: 262144,
    ATTEMPTS: 5,

    /** @param {string} session sys_id of its row */
    initialize: function (session) {
        this._id = session;
        this._table = new ClaudeTerminalTable('output');
        this._base64 = new ClaudeTerminalBase64();
    },

    /** @returns {number} the offset behind everything that is here */
    end: function () {
        var last = this._table.query({session: this._id});
        last.orderByDesc('start');
        last.setLimit(1);
        last.query();
        return last.next() ? this._behind(last) : 0;
    },

    /**
     * @param {Piece} piece
     * @param {number} [known] an offset that was the end, at some time. Where it still is, which is nearly
     *     always, nothing has to be looked up; where not, a row begins there, and the index refuses another
     * @returns {number} the offset behind everything that is here then, as far as we know
     */
    append: function (piece, known) {
        var before = known || 0;
        var end = before;
        var next, i;
        for (i = 0; i < this.ATTEMPTS && this._sound(piece) && end < piece.nextCursor; i++) {
            next = this._add(piece, end) || this.end();
            if (next <= end) {
                break;
            }
            end = next;
        }
        // Looking for what to delete costs a query, so not each time.
        if (Math.floor(before / this.TRIM_EACH_BYTES) !== Math.floor(end / this.TRIM_EACH_BYTES)) {
            this.trim(new ClaudeTerminalSettings().outputBytes());
        }
        return end;
    },

    /**
     * @param {number} cursor
     * @param {number} most bytes
     * @returns {{data: string, cursor: number, nextCursor: number, dropped: number}}
     */
    read: function (cursor, most) {
        var answer = {data: '', cursor: cursor, nextCursor: cursor, dropped: 0};
        var parts = [];
        var first = this._first(cursor);
        var next;
        if (first && this._take(first, answer, parts, most)) {
            next = this._small(first.getValue('start'));
            while (next.next() && Number(next.getValue('start')) === answer.nextCursor) {
                this._take(next, answer, parts, most);
            }
        }
        answer.data = this._base64.join(parts);
        return answer;
    },

    /** Delete the oldest rows beyond what is kept of a session. */
    trim: function (most) {
        var row = this._table.query({session: this._id});
        var end = this.end();
        row.orderBy('start');
        row.query();
        while (row.next() && end - this._behind(row) >= most) {
            row.deleteRecord();
        }
    },

    _sound: function (piece) {
        return !!piece && this._base64.valid(piece.data) && piece.data.length <= this.LONGEST_DATA &&
            this._whole(piece.nextCursor) && this._whole(piece.dropped) &&
            piece.nextCursor >= this._base64.length(piece.data) + piece.dropped;
    },

    _whole: function (value) {
        return typeof value === 'number' && value % 1 === 0 && value >= 0 && value < 9e15;
    },

    /** @returns {number} the offset behind what was added at `end`; 0 for nothing: it is taken, or not next */
    _add: function (piece, end) {
        var start = piece.nextCursor - this._base64.length(piece.data);
        if (start > end) {
            return start - piece.dropped <= end && this._insert(end, {dropped: start - end}) ? start : 0;
        }
        return this._insert(end, {length: piece.nextCursor - end,
            data: this._base64.slice(piece.data, end - start)}) ? piece.nextCursor : 0;
    },

    /** @returns {boolean} false when another thread was faster */
    _insert: function (start, values) {
        values.session = this._id;
        values.start = start;
        return this._table.insert(values) !== null;
    },

    /** @returns {?GlideRecord} the row with this offset in it, or the one after it */
    _first: function (cursor) {
        var row = this._table.query({session: this._id});
        row.addQuery('start', '<=', cursor);
        row.orderByDesc('start');
        row.setLimit(1);
        row.query();
        if (row.next() && this._behind(row) > cursor) {
            return row;
        }
        row = this._table.query({session: this._id});
        row.addQuery('start', '>', cursor);
        row.orderBy('start');
        row.setLimit(1);
        row.query();
        return row.next() ? row : null;
    },

    /** @returns {GlideRecord} queried: rows after an offset that are worth joining */
    _small: function (start) {
        var row = this._table.query({session: this._id});
        row.addQuery('start', '>', start);
        row.addQuery('length', '>', 0);
        row.addQuery('length', '<', this.LARGE_BYTES);
        row.orderBy('start');
        row.setLimit(100);
        row.query();
        return row;
    },

    /** Take what fits of a row. @returns {boolean} whether a small one behind it may be added */
    _take: function (row, answer, parts, most) {
        var start = Number(row.getValue('start'));
        var length = Number(row.getValue('length'));
        var from = Math.max(start, answer.nextCursor);
        var to = length ? Math.min(start + length, from + most - this._size(parts)) : this._behind(row);
        answer.dropped += length ? from - answer.nextCursor : to - answer.nextCursor;
        if (length) {
            parts.push(this._base64.slice(row.getValue('data'), from - start, to - start));
        }
        answer.nextCursor = to;
        return length < this.LARGE_BYTES;
    },

    _size: function (parts) {
        return parts.reduce(function (sum, part) {
            return sum + this._base64.length(part);
        }.bind(this), 0);
    },

    _behind: function (row) {
        return Number(row.getValue('start')) + (Number(row.getValue('length')) || 0) +
            (Number(row.getValue('dropped')) || 0);
    },

    type: 'ClaudeTerminalOutput'
};
