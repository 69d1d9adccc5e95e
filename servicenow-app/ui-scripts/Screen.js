window.claudeTerminal = window.claudeTerminal || {};

/**
 * What a person sees and types into: xterm in a box of the page. It knows nothing of sessions.
 *
 * Three things differ from a plain xterm. It never answers the program by itself: the sidecar does, once for
 * all viewers, so an answer of each would be typed into the program. It has the keys people expect of a
 * terminal in a browser (Ctrl-C copies a selection, else interrupts; Ctrl-V pastes). And F6 leaves it, because
 * Tab belongs to the program and a keyboard must not be caught.
 */
(function (ns) {
    'use strict';

    var FONTS = '"JetBrains Mono", "Cascadia Mono", "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", ' +
        '"Liberation Mono", monospace';
    var LABEL = 'Terminal. F6 leaves it.';
    var SMALLEST_PX = 6;
    var FONT_PX = 14;
    var LARGEST_PX = 28;
    var MOST_CELLS = 500; // the sidecar's own limit for columns and rows
    var SCROLLBACK_ROWS = 10000;
    var LINE_FEED = 10;
    var OSC_COLOURS = [4, 10, 11, 12];

    var QUERIES = [{final: 'c'}, {prefix: '>', final: 'c'}, {prefix: '=', final: 'c'}, {final: 'n'},
        {prefix: '?', final: 'n'}, {intermediates: '$', final: 'p'},
        {prefix: '?', intermediates: '$', final: 'p'}, {prefix: '>', final: 'q'}, {prefix: '?', final: 'u'},
        {final: 't'}];
    var DCS_QUERIES = [{intermediates: '$', final: 'q'}, {intermediates: '+', final: 'q'}];
    /** Whether the window has the focus is nothing to spend a row of the queue on. */
    var FOCUS_REPORT = /^\x1b\[[IO]$/;
    /** What no text has, but a trap in one: the end of the brackets that a paste goes in, keys, commands. */
    var CONTROLS = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;

    var DARK = {background: '#1f1e1d', foreground: '#ece9e3', cursor: '#d97757', cursorAccent: '#1f1e1d',
        selectionBackground: '#5c4a40', scrollbarSliderBackground: '#4a4743',
        scrollbarSliderHoverBackground: '#5e5a55', scrollbarSliderActiveBackground: '#6f6a64',
        black: '#3b3936', red: '#e8786f', green: '#8fc07f',
        yellow: '#e2b86b', blue: '#82abe3', magenta: '#c596da', cyan: '#76c3c7', white: '#d8d4cc',
        brightBlack: '#96908a', brightRed: '#f39b93', brightGreen: '#abd69c', brightYellow: '#f0cd8d',
        brightBlue: '#a5c4f0', brightMagenta: '#d9b3ea', brightCyan: '#9bd8db', brightWhite: '#fbfaf8'};
    var LIGHT = {background: '#fdfcf9', foreground: '#2b2926', cursor: '#b4532f', cursorAccent: '#fdfcf9',
        selectionBackground: '#f1d9cd', scrollbarSliderBackground: '#ddd8cd',
        scrollbarSliderHoverBackground: '#c9c3b6', scrollbarSliderActiveBackground: '#b3ac9f',
        black: '#2b2926', red: '#b3261e', green: '#2e7041',
        yellow: '#855600', blue: '#2456a6', magenta: '#84399e', cyan: '#0f6a70', white: '#6b6560',
        brightBlack: '#6b6560', brightRed: '#c0362d', brightGreen: '#37804d', brightYellow: '#8f6100',
        brightBlue: '#2f66bf', brightMagenta: '#9748b3', brightCyan: '#16757b', brightWhite: '#45413c'};

    function within(value, least, most) {
        return Math.max(least, Math.min(most, value));
    }

    function bytes(text) {
        return new window.TextEncoder().encode(text);
    }

    /**
     * @param {Object} parts
     * @param {Element} parts.element an empty box, laid out
     * @param {Function} parts.terminal xterm's Terminal
     * @param {{FitAddon: Function}} parts.fit its addon
     * @param {function()} [parts.onLeave] F6 was pressed
     * @param {function(string)} [parts.onLink] a link of the program was clicked; its address is http or https,
     *     and need not be what the letters say
     */
    function Screen(parts) {
        var Terminal;
        var onLink = parts.onLink || function () {};
        this._element = parts.element;
        this._onLeave = parts.onLeave || function () {};
        this._size = FONT_PX;
        this._fixed = null;
        Terminal = parts.terminal;
        this._terminal = new Terminal({fontFamily: FONTS, fontSize: FONT_PX, theme: DARK,
            scrollback: SCROLLBACK_ROWS, macOptionIsMeta: true, drawBoldTextInBrightColors: false,
            linkHandler: {activate: function (event, address) {
                onLink(address);
            }}});
        this._fit = new parts.fit.FitAddon();
        this._terminal.loadAddon(this._fit);
        this._terminal.open(this._element);
        this._terminal.textarea.setAttribute('aria-label', LABEL);
        this._terminal.attachCustomKeyEventHandler(this._key.bind(this));
        this._silence();
        this._watchBox();
        this._pasted = this._pasted.bind(this);
        this._element.addEventListener('paste', this._pasted, true);
    }

    Screen.themes = {dark: DARK, light: LIGHT};

    Screen.prototype = {
        /** @param {Uint8Array} output of the program, as it came: a character may be cut in two */
        write: function (output) {
            this._terminal.write(output);
        },

        /**
         * Begin again with a rendered screen.
         *
         * @param {{ansi: string, columns: number, rows: number, history: ?Uint8Array, cut: boolean}} picture
         *     history: the bytes before it, for scrolling back; cut: they begin in the middle
         */
        restore: function (picture) {
            this.clear();
            if (picture.columns && picture.rows) {
                this._resize(picture.columns, picture.rows);
            }
            // Claude asks for pasted text in brackets once, at its start, which the history may not reach.
            this.write(bytes('\x1b[?2004h'));
            if (picture.history && picture.history.length) {
                this.write(picture.cut ? this._whole(picture.history) : picture.history);
            }
            this.write(bytes(picture.ansi || ''));
        },

        clear: function () {
            this._terminal.reset();
        },

        /** @param {function(string)} fn called with what the user types and pastes, nothing else */
        onData: function (fn) {
            this._terminal.onData(function (text) {
                if (!FOCUS_REPORT.test(text)) {
                    fn(text);
                }
            });
        },

        /** @param {function(number, number)} fn columns, rows */
        onResize: function (fn) {
            this._terminal.onResize(function (size) {
                fn(size.cols, size.rows);
            });
        },

        /** Fill the box. @returns {{columns: number, rows: number}} */
        fit: function () {
            var room;
            this._fixed = null;
            this._terminal.options.fontSize = this._size;
            room = this._room();
            if (room) {
                this._resize(room.columns, room.rows);
            }
            return this.size();
        },

        /** Have the size of a terminal whose box is elsewhere: the letters shrink until it fits. */
        fix: function (columns, rows) {
            var options = this._terminal.options;
            var room, part;
            this._fixed = {columns: columns, rows: rows};
            options.fontSize = this._size;
            room = this._room();
            if (room) {
                part = Math.min(1, room.columns / columns, room.rows / rows);
                options.fontSize = within(Math.floor(this._size * part), SMALLEST_PX, this._size);
            }
            this._resize(columns, rows);
        },

        /** @returns {{columns: number, rows: number}} */
        size: function () {
            return {columns: this._terminal.cols, rows: this._terminal.rows};
        },

        /** Copy what is selected, else what is to be seen. @returns {?string} selection, screen, null: failed */
        copy: function () {
            var selected = this._terminal.hasSelection();
            var done = this._copyText(selected ? this._terminal.getSelection() : this.text());
            return done ? (selected ? 'selection' : 'screen') : null;
        },

        /** @returns {string} the rows to be seen */
        text: function () {
            var buffer = this._terminal.buffer.active;
            var rows = [];
            var y, line;
            for (y = 0; y < this._terminal.rows; y++) {
                line = buffer.getLine(buffer.viewportY + y);
                rows.push(line ? line.translateToString(true) : '');
            }
            return rows.join('\n').replace(/\n+$/, '\n');
        },

        /**
         * As if it came from the keyboard's paste key: in brackets, if the program wants them. Whoever wrote
         * the text may want something else, and xterm lets it end the brackets by itself.
         */
        paste: function (text) {
            this._terminal.paste(text.replace(CONTROLS, ''));
        },

        /** As if it were typed. */
        type: function (text) {
            this._terminal.input(text, true);
        },

        /** Text for screen readers beside the picture; slower, so only on demand. */
        accessible: function (on) {
            this._terminal.options.screenReaderMode = on;
        },

        /** @param {string} name dark or light */
        theme: function (name) {
            // Programs choose colours for a dark background; on a light one they are darkened as needed.
            this._terminal.options.minimumContrastRatio = name === 'light' ? 4.5 : 1;
            this._terminal.options.theme = Screen.themes[name] || DARK;
        },

        /** @param {number} px size of the letters @returns {number} the one it has then */
        font: function (px) {
            this._size = within(px || FONT_PX, SMALLEST_PX + 2, LARGEST_PX);
            this._layOut();
            return this._size;
        },

        focus: function () {
            this._terminal.focus();
        },

        dispose: function () {
            this._observer.disconnect();
            this._element.removeEventListener('paste', this._pasted, true);
            this._terminal.dispose();
        },

        _room: function () {
            var room = this._fit.proposeDimensions();
            if (!room || !isFinite(room.cols) || !isFinite(room.rows)) {
                return null; // not laid out: hidden, or the page is not ready
            }
            return {columns: within(room.cols, 2, MOST_CELLS), rows: within(room.rows, 1, MOST_CELLS)};
        },

        _resize: function (columns, rows) {
            if (columns !== this._terminal.cols || rows !== this._terminal.rows) {
                this._terminal.resize(columns, rows);
            }
        },

        _layOut: function () {
            if (this._fixed) {
                this.fix(this._fixed.columns, this._fixed.rows);
            } else {
                this.fit();
            }
        },

        _watchBox: function () {
            var layOut = this._layOut.bind(this);
            this._observer = new window.ResizeObserver(function () {
                window.requestAnimationFrame(layOut);
            });
            this._observer.observe(this._element);
        },

        /** Bytes from the middle of an output begin at its next line: before it may be half a sequence. */
        _whole: function (history) {
            var at = 0;
            while (at < history.length && history[at] !== LINE_FEED) {
                at++;
            }
            return history.subarray(at);
        },

        /** Take what would make xterm answer out of its hands. */
        _silence: function () {
            var parser = this._terminal.parser;
            var ignore = function () {
                return true;
            };
            QUERIES.forEach(function (id) {
                parser.registerCsiHandler(id, ignore);
            });
            DCS_QUERIES.forEach(function (id) {
                parser.registerDcsHandler(id, ignore);
            });
            OSC_COLOURS.forEach(function (number) {
                parser.registerOscHandler(number, function (data) {
                    return data.indexOf('?') >= 0; // setting a colour stays with xterm
                });
            });
        },

        /** @returns {boolean} whether xterm may have the key */
        _key: function (event) {
            var control = event.ctrlKey && !event.altKey && !event.metaKey;
            var key = event.key.toLowerCase();
            if (event.type !== 'keydown') {
                return true;
            }
            if (event.key === 'F6') {
                event.preventDefault();
                this._onLeave();
                return false;
            }
            if (control && (key === 'c' || key === 'insert')) {
                return this._copyKey(event);
            }
            // The browser's own paste follows, which needs no permission.
            return !(control && key === 'v') && !(event.shiftKey && key === 'insert');
        },

        /** Before xterm, which would take it as it is. */
        _pasted: function (event) {
            event.preventDefault();
            event.stopPropagation();
            if (event.clipboardData) {
                this.paste(event.clipboardData.getData('text/plain'));
            }
        },

        _copyKey: function (event) {
            var asked = event.shiftKey || event.key === 'Insert';
            if (!asked && !this._terminal.hasSelection()) {
                return true;
            }
            event.preventDefault();
            if (this._terminal.hasSelection()) {
                this.copy();
                this._terminal.clearSelection();
            }
            return false;
        },

        /** The older way of copying: it works in every browser, without asking and also without TLS. */
        _copyText: function (text) {
            var done = false;
            var give = function (event) {
                event.clipboardData.setData('text/plain', text);
                event.preventDefault();
                event.stopImmediatePropagation();
                done = true;
            };
            document.addEventListener('copy', give, true);
            document.execCommand('copy');
            document.removeEventListener('copy', give, true);
            return done;
        }
    };

    ns.Screen = Screen;
}(window.claudeTerminal));
