window.claudeTerminal = window.claudeTerminal || {};

/** What a widget takes from the browser's window, in the form that the other classes want it. */
(function (ns) {
    'use strict';

    /** @param {Window} view */
    function Page(view) {
        this._view = view;
        this._heard = [];
        this.timers = {
            now: function () {
                return view.Date.now();
            },
            after: function (ms, fn) {
                return view.setTimeout(fn, ms);
            },
            cancel: function (handle) {
                view.clearTimeout(handle);
            }
        };
        /** For this tab, until it is closed. */
        this.tab = new ns.Memory(function () {
            return view.sessionStorage;
        });
        /** For everybody who uses this browser. */
        this.browser = new ns.Memory(function () {
            return view.localStorage;
        });
        this.send = this._send.bind(this);
    }

    Page.prototype = {
        /** @param {Object<string, function(Event)>} listeners by the event's name */
        listen: function (listeners) {
            Object.keys(listeners).forEach(function (name) {
                var target = name === 'visibilitychange' ? this._view.document : this._view;
                target.addEventListener(name, listeners[name]);
                this._heard.push([target, name, listeners[name]]);
            }, this);
        },

        deafen: function () {
            this._heard.splice(0).forEach(function (heard) {
                heard[0].removeEventListener(heard[1], heard[2]);
            });
        },

        /** @returns {boolean} whether nobody can see it */
        hidden: function () {
            return this._view.document.hidden;
        },

        /** @returns {boolean} whether somebody looks at it, as far as a browser knows */
        attended: function () {
            return !this._view.document.hidden && this._view.document.hasFocus();
        },

        /** Let a box reach from where it is to the window's lower edge. */
        fill: function (box, least, below) {
            var top = box.getBoundingClientRect().top + this._view.pageYOffset;
            box.style.height = Math.max(least, this._view.innerHeight - top - below) + 'px';
        },

        /** @returns {Promise<string>} what was copied last; rejected where the page may not know */
        clipboard: function () {
            var clipboard = this._view.navigator.clipboard;
            return clipboard && clipboard.readText ? clipboard.readText() :
                this._view.Promise.reject(new this._view.Error('There is no clipboard'));
        },

        /** Post what nobody waits for: Angular's own calls end with the page. It may be lost, too. */
        _send: function (path, body) {
            this._view.fetch(path, {method: 'POST', keepalive: true, body: JSON.stringify(body),
                headers: {'Content-Type': 'application/json', 'X-UserToken': this._view.g_ck}})
                .then(null, nothing);
        }
    };

    function nothing() {
    }

    ns.Page = Page;
}(window.claudeTerminal));
