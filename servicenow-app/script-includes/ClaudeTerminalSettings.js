/**
 * The system properties of the application, each with the value that holds when it is missing or senseless.
 */
var ClaudeTerminalSettings = Class.create();

ClaudeTerminalSettings.prototype = {
    initialize: function () {
    },

    /** @returns {string[]} names of the MID Servers (or pollers) beside which a sidecar runs */
    mids: function () {
        return this._list(gs.getProperty('x_claude_terminal.mids', ''));
    },

    /** @returns {string} mid or poller */
    bridge: function () {
        return String(gs.getProperty('x_claude_terminal.bridge', 'mid')) === 'poller' ? 'poller' : 'mid';
    },

    /** @returns {string[]} thumbprints of the only keys that API keys may be sealed to; none: any */
    sealingKeys: function () {
        return this._list(gs.getProperty('x_claude_terminal.sealing_keys', ''));
    },

    pumpWaitSeconds: function () {
        return this._number(gs.getProperty('x_claude_terminal.pump_wait_seconds', '20'), 20, 1, 25);
    },

    viewerSeconds: function () {
        return this._number(gs.getProperty('x_claude_terminal.viewer_seconds', '60'), 60, 10, 3600);
    },

    outputBytes: function () {
        return this._number(gs.getProperty('x_claude_terminal.output_bytes', '2000000'), 2000000, 65536, 1e9);
    },

    keepDays: function () {
        return this._number(gs.getProperty('x_claude_terminal.keep_days', '7'), 7, 1, 3650);
    },

    commandWaitMs: function () {
        return this._number(gs.getProperty('x_claude_terminal.command_wait_ms', '1300'), 1300, 0, 25000);
    },

    /** @returns {string} names this instance towards a sidecar that may serve several */
    instanceId: function () {
        return String(gs.getProperty('instance_id', '') || gs.getProperty('instance_name', 'instance'));
    },

    _list: function (text) {
        return String(text).split(',').map(function (item) {
            return item.trim();
        }).filter(function (item) {
            return item !== '';
        });
    },

    _number: function (text, otherwise, least, most) {
        var number = /^[0-9]{1,10}$/.test(String(text).trim()) ? parseInt(text, 10) : otherwise;
        return Math.max(least, Math.min(most, number));
    },

    type: 'ClaudeTerminalSettings'
};
