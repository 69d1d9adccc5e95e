/**
 * Which writes are told to which subscribers: record watchers, and MID Servers that wait for outputs.
 * [SNCLI, OOB Kingston, ecc-queue-mid-server]
 *
 * A watcher hears of rows that fit its filter and that its user may read, and of their changed columns only.
 */

var display = require('display');
var fields = require('http/fields');
var rows = require('http/rows');

var RECORD = /^\/rw\/default\/([a-z0-9_]+)\/(.*)$/;
var MID = /^\/mid\/server\/([0-9a-f]{32})$/;
var BLOCKED = /^sys_(amb_message$|rw)/;
/** Changed by every write; they come along without being named as changes. */
var DERIVED = ['sys_updated_on', 'sys_updated_by', 'sys_mod_count'];
var CHANNELS_KEPT = 1000;
var MID_ROLES = ['mid_server', 'admin'];

exports.Watchers = function (platform) {
    var self = this;
    this._platform = platform;
    this._rows = new rows.Rows(platform);
    this._fields = new fields.Fields(platform, this._rows);
    this._clients = null;
    this._channels = new java.util.concurrent.ConcurrentHashMap();
    platform.records.onChange(function (change) {
        try {
            self._changed(change);
        } catch (error) {
            // Whoever writes must not suffer from whoever watches.
            platform.log.error('amb', String(error.message || error));
        }
    });
};

exports.Watchers.prototype = {
    /** Say whom to tell. */
    attach: function (clients) {
        this._clients = clients;
    },

    /** @returns {string|null} why one of the channels cannot be subscribed to */
    problem: function (user, channels) {
        var found = channels.map(function (channel) { return this._problem(user, channel); }, this);
        return channels.length === 0 ? '403::no subscription' :
            found.filter(function (problem) { return problem !== null; })[0] || null;
    },

    _problem: function (user, channel) {
        if (MID.test(channel)) {
            return MID_ROLES.some(function (role) { return user.roles.indexOf(role) >= 0; }) ? null :
                '403:' + channel + ':only MID Servers';
        }
        var watch = parsed(channel);
        if (watch === null || this._platform.dictionary.table(watch.table) === null) {
            return '404:' + channel + ':the emulated instance has no such channel';
        }
        return BLOCKED.test(watch.table) ? '403:' + channel + ':this table cannot be watched' :
            this._unreadable(watch);
    },

    _unreadable: function (watch) {
        try {
            this._platform.records.parse(watch.table, watch.filter);
            return null;
        } catch (error) {
            return '400:' + watch.table + ':' + error.message;
        }
    },

    _changed: function (change) {
        var self = this;
        if (this._clients === null) {
            return;
        }
        if (change.table === 'ecc_queue') {
            this._poke(change);
        }
        this._clients.each(function (client) {
            client.channels().forEach(function (channel) {
                var watch = self._watch(channel);
                if (watch !== null && watch.table === change.table) {
                    self._tell(client, channel, watch, change);
                }
            });
        });
    },

    /** What a channel watches, read once: each write asks for all of them. */
    _watch: function (channel) {
        var known = this._channels.get(channel);
        if (known === null) {
            known = {watch: parsed(channel)};
            if (this._channels.size() >= CHANNELS_KEPT) {
                this._channels.clear();
            }
            this._channels.put(channel, known);
        }
        return known.watch;
    },

    _tell: function (client, channel, watch, change) {
        var self = this;
        var context = this._platform.context;
        if (!this._platform.records.matches(watch.table, watch.filter, change.row)) {
            return;
        }
        context.run(context.create({user: client.user}), function () {
            if (self._rows.readable(change.table, change.row)) {
                client.tell(channel, self._data(change));
            }
        });
    },

    _data: function (change) {
        var seen = this._rows.visible(change.table, change.row);
        var named = change.operation === 'delete' ? [] : change.changes.filter(function (name) {
            return seen.hasOwnProperty(name) && DERIVED.indexOf(name) < 0;
        });
        var record = {};
        named.concat(change.operation === 'delete' ? [] : DERIVED).forEach(function (name) {
            var field = this._fields.of(change.table, seen, name);
            record[name] = {display_value: field.display(), value: field.value};
        }, this);
        return {
            table_name: change.table, sys_id: change.sysId, operation: change.operation, changes: named,
            display_value: display.row(this._platform.dictionary.table(change.table), seen),
            changes_with_users: {}, record: record
        };
    },

    _poke: function (change) {
        var row = change.row;
        var isNew = change.operation === 'insert' || change.changes.indexOf('state') >= 0 ||
            change.changes.indexOf('agent') >= 0;
        var agent = /^mid\.server\.(.+)$/.exec(row.agent || '');
        if (change.operation === 'delete' || !isNew || agent === null || row.queue !== 'output' ||
                row.state !== 'ready') {
            return;
        }
        this._platform.store.select('ecc_agent', {column: 'name', operator: '=', value: agent[1]})
            .forEach(function (mid) { this._publish('/mid/server/' + mid.sys_id, row); }, this);
    },

    _publish: function (channel, row) {
        this._clients.each(function (client) {
            if (client.hears(channel)) {
                client.tell(channel, {priority: row.priority, topic: row.topic, agent: row.agent});
            }
        });
    }
};

// Padding is written with another sign, because '=' has no place in a channel's name.
function parsed(channel) {
    var found = RECORD.exec(channel);
    if (found === null) {
        return null;
    }
    try {
        return {table: found[1], filter: String(new java.lang.String(
            java.util.Base64.getDecoder().decode(found[2].replace(/-+$/, '')), 'UTF-8'
        ))};
    } catch (error) {
        return null;
    }
}
