window.claudeTerminal = window.claudeTerminal || {};

/**
 * Whether a program is in the middle of a paste. A paste goes in brackets, and a program whose closing bracket got
 * lost takes all that is typed afterwards for pasted text: not even Enter would work.
 */
(function (ns) {
    'use strict';

    var OPEN = '\u001b[200~';
    var CLOSE = '\u001b[201~';

    function Bracket() {
        /** Whether what has left so far ends in the middle of a paste. */
        this.open = false;
        this._tail = '';
        this._wanted = false;
    }

    Bracket.prototype = {
        /** @param {string} text that leaves now; a bracket may be cut between two of them */
        pass: function (text) {
            var all = this._tail + text;
            var opened = all.lastIndexOf(OPEN);
            var closed = all.lastIndexOf(CLOSE);
            this.open = opened === closed ? this.open : opened > closed;
            this._tail = all.slice(1 - OPEN.length);
        },

        /** What would have closed it may be lost. */
        doubt: function () {
            this._wanted = true;
        },

        /** Nothing more of what began comes. */
        cut: function () {
            this._wanted = this._wanted || this.open;
            this.open = false;
            this._tail = '';
        },

        /** @returns {string} what has to precede all that is typed from now on; mostly nothing */
        closing: function () {
            var text = this._wanted ? CLOSE : '';
            this._wanted = false;
            return text;
        }
    };

    ns.Bracket = Bracket;
}(window.claudeTerminal));
