window.claudeTerminal = window.claudeTerminal || {};

/** What a browser remembers for a page: never a secret, never anything typed or printed. */
(function (ns) {
    'use strict';

    /** @param {function(): Storage} storage gives it; a browser may forbid even that */
    function Memory(storage) {
        this._storage = storage;
    }

    Memory.prototype = {
        /** @returns {*} null: nothing, or nothing that can be read */
        read: function (name) {
            try {
                return JSON.parse(this._storage().getItem(name));
            } catch (e) {
                return null;
            }
        },

        /** @param {*} value null forgets it @returns {boolean} whether it will be remembered */
        write: function (name, value) {
            try {
                if (value === null) {
                    this._storage().removeItem(name);
                } else {
                    this._storage().setItem(name, JSON.stringify(value));
                }
                return true;
            } catch (e) {
                return false;
            }
        }
    };

    ns.Memory = Memory;
}(window.claudeTerminal));
