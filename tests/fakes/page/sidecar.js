/** The sidecar's order of inputs: a number that comes early waits two seconds for the ones before it. */

var bytes = require('bytes');

var GAP_MS = 2000;

function Sidecar(timers) {
    this._timers = timers;
    this._lines = {};
    /** The bytes that were typed into the program. */
    this.program = [];
}

Sidecar.prototype = {
    /** @param {Object} body stream, seq, command @param {function(?Object, Object)} answer problem, body */
    command: function (body, answer) {
        var line = this._lines[body.stream] = this._lines[body.stream] || {last: 0, missed: {}, waiting: []};
        if (line.missed[body.seq]) {
            answer({status: 409, title: 'Out of order', detail: 'It came too late.'});
        } else if (body.seq <= line.last) {
            answer(null, {accepted: true});
        } else {
            line.waiting.push({seq: body.seq, command: body.command, answer: answer});
            this._advance(line);
            this._timers.after(GAP_MS, this._giveUp.bind(this, line, body.seq));
        }
    },

    /** A restart: it knows no number any more. */
    forget: function () {
        this._lines = {};
    },

    _advance: function (line) {
        var next = line.waiting.filter(function (one) {
            return one.seq <= line.last + 1;
        })[0];
        if (!next) {
            return;
        }
        line.waiting.splice(line.waiting.indexOf(next), 1);
        if (next.seq > line.last) {
            line.last = next.seq;
            this.program = this.program.concat(bytes.decoded(next.command));
        }
        next.answer(null, {accepted: true});
        this._advance(line);
    },

    _giveUp: function (line, seq) {
        var i;
        var waits = line.waiting.some(function (one) {
            return one.seq === seq;
        });
        var lowest = line.waiting.every(function (one) {
            return one.seq >= seq;
        });
        if (waits && lowest) {
            for (i = line.last + 1; i < seq; i++) {
                line.missed[i] = true;
            }
            line.last = seq - 1;
            this._advance(line);
        }
    }
};

exports.Sidecar = Sidecar;
