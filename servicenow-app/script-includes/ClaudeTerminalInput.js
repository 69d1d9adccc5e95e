/**
 * A caller's JSON body, taken field by field. Broken rules are collected, so that the caller sees all of
 * them at once; a field nobody took is one of them.
 */
var ClaudeTerminalInput = Class.create();

ClaudeTerminalInput.prototype = {
    UUID: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i,
    GUID: /^([0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/i,
    LARGEST_COMMAND: 16384,

    /** @param {*} body a parsed JSON object; anything else is a 400 */
    initialize: function (body) {
        if (Object.prototype.toString.call(body) !== '[object Object]') {
            throw new ClaudeTerminalProblem(400, 'Bad request', 'The body must be a JSON object.');
        }
        this._body = body;
        this._taken = {};
        this._errors = [];
    },

    /** @returns {?string} null when it is not there */
    text: function (name, longest, pattern) {
        var value = this._take(name);
        if (value === null) {
            return null;
        }
        if (typeof value !== 'string' || value.length < 1 || value.length > longest) {
            return this.refuse(name, 'must be a text of 1 to ' + longest + ' characters');
        }
        return !pattern || pattern.test(value) ? value : this.refuse(name, 'has a form that is not allowed');
    },

    /** @returns {string} a text that may be empty, '' also when it is not there */
    words: function (name, longest) {
        var value = this._take(name);
        if (value === null || value === '') {
            return '';
        }
        return typeof value === 'string' && value.length <= longest ? value :
            this.refuse(name, 'must be a text of at most ' + longest + ' characters');
    },

    /**
     * @param {function(*): boolean} passes for one item
     * @returns {Array} empty when it is not there
     */
    list: function (name, most, passes) {
        var value = this._take(name);
        if (value === null) {
            return [];
        }
        if (Object.prototype.toString.call(value) !== '[object Array]' || value.length > most ||
                !value.every(passes)) {
            this.refuse(name, 'must be a list of at most ' + most + ' items of the right form');
            return [];
        }
        return value;
    },

    /** @returns {?number} */
    integer: function (name, least, most) {
        var value = this._take(name);
        if (value === null) {
            return null;
        }
        if (typeof value !== 'number' || value % 1 !== 0 || value < least || value > most) {
            return this.refuse(name, 'must be a whole number from ' + least + ' to ' + most);
        }
        return value;
    },

    /** @returns {boolean} false when it is not there */
    flag: function (name) {
        var value = this._take(name);
        if (value !== null && typeof value !== 'boolean') {
            this.refuse(name, 'must be true or false');
        }
        return value === true;
    },

    /** @returns {?string} */
    choice: function (name, choices) {
        var value = this._take(name);
        return value === null || choices.indexOf(value) >= 0 ? value :
            this.refuse(name, 'must be one of ' + choices.join(', '));
    },

    /** @returns {?string} 32 lower-case hex digits: the caller's own name for what is to be done once */
    key: function () {
        var value = this.text('key', 36, this.GUID);
        return value === null ? null : value.replace(/-/g, '').toLowerCase();
    },

    /** @returns {string|string[]} what is typed, in the form that `mode` asks for */
    command: function (mode) {
        var value = this._take('command');
        if (mode === 'keys') {
            return this._isNames(value) ? value :
                this.refuse('command', 'must be a list of 1 to 500 key names');
        }
        if (typeof value !== 'string') {
            return this.refuse('command', 'must be a text');
        }
        if (mode === 'raw' && !new ClaudeTerminalBase64().valid(value)) {
            return this.refuse('command', 'must be base64');
        }
        return this._sized(value, mode);
    },

    require: function (name) {
        if (this._take(name) === null) {
            this.refuse(name, 'is missing');
        }
        return this;
    },

    /** Note a broken rule. @returns {null} in place of the value */
    refuse: function (name, message) {
        this._errors.push({field: name, message: message});
        return null;
    },

    /** Call last. @throws {ClaudeTerminalProblem} 422 with every broken rule */
    finish: function () {
        Object.keys(this._body).forEach(function (name) {
            if (!Object.prototype.hasOwnProperty.call(this._taken, name)) {
                // A name that could be anything else but one is not said again.
                this._errors.push(/^[A-Za-z_]\w{0,39}$/.test(name) ?
                    {field: name, message: 'is no field of this call'} :
                    {field: 'body', message: 'has an unknown field'});
            }
        }, this);
        if (this._errors.length) {
            throw new ClaudeTerminalProblem(422, 'Invalid request', this._errors.map(function (error) {
                return error.field + ' ' + error.message;
            }).join('; ') + '.', this._errors);
        }
    },

    _take: function (name) {
        var known = Object.prototype.hasOwnProperty.call(this._body, name);
        this._taken[name] = true;
        return known && this._body[name] !== undefined ? this._body[name] : null;
    },

    _isNames: function (value) {
        return Object.prototype.toString.call(value) === '[object Array]' && value.length > 0 &&
            value.length <= 500 && value.every(function (item) {
                return typeof item === 'string' && item.length > 0 && item.length <= 20;
            });
    },

    _sized: function (value, mode) {
        var bytes = mode === 'raw' ? new ClaudeTerminalBase64().length(value) : this._bytes(value);
        if (bytes > this.LARGEST_COMMAND) {
            throw new ClaudeTerminalProblem(413, 'Command too large',
                'A command has at most ' + this.LARGEST_COMMAND + ' bytes.');
        }
        return bytes < 0 ? this.refuse('command', 'has half a character') : value;
    },

    /** @returns {number} its length in UTF-8; -1 when a surrogate stands alone */
    _bytes: function (text) {
        try {
            return encodeURIComponent(text).replace(/%[0-9A-F]{2}/g, '.').length;
        } catch (e) {
            return -1;
        }
    },

    type: 'ClaudeTerminalInput'
};
