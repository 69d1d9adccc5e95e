/**
 * `$sp` of a widget's server script: the part of it that does not belong to other applications.
 * [c_GlideSPScriptableScopedAPI]
 */

var own = require('own');
var record = require('glide/record');
var trap = require('glide/trap');

/**
 * @param {Object} platform
 * @param {{parameters: Object, portal: Object, input: *}} request
 * @param {{instance: Object|null}} place
 * @param {function(string, Object): Object} embed makes the model of another widget
 * @returns {Object} what is not documented, or not provided, is refused by name
 */
exports.of = function (platform, request, place, embed) {
    var methods = {
        getParameter: function (name) { return parameter(request, String(name)); },
        getPortalRecord: function () { return row(platform, 'sp_portal', request.portal); },
        getValue: function (name) { return value(platform, request, place, String(name)); },
        getDisplayValue: function (name) { return display(platform, request, place, String(name)); },
        getWidget: function (id, options) {
            return platform.engine.adopt(embed(String(id), plain(options)));
        },
        canReadRecord: function (one, sysId) { return readable(platform, one, sysId); },
        getUserInitials: function () { return initials(platform.context.current().user); }
    };
    return trap.members(Object.create(trap.create('GlideSPScriptable', function (start, name) {
        throw new TypeError('$sp.' + name + ' is not provided by the emulator; there are ' +
            Object.keys(methods).join(', '));
    }, function (start, name) {
        throw new TypeError('$sp.' + name + ' cannot be set');
    })), methods);
};

/** The address's parameter, or the member of what the widget sent. */
function parameter(request, name) {
    var sent = request.input;
    if (sent !== null && typeof sent === 'object' && own.has(sent, name)) {
        return sent[name];
    }
    return own.has(request.parameters, name) ? request.parameters[name][0] : null;
}

// In this order: the request, the instance, the portal.
function value(platform, request, place, name) {
    var found = parameter(request, name);
    return found !== null ? found : [place.instance, request.portal].reduce(function (kept, each) {
        return kept !== null || !each || each[name] === undefined ? kept : each[name];
    }, null);
}

function display(platform, request, place, name) {
    var holder = place.instance && place.instance[name] ? ['sp_instance', place.instance] :
        ['sp_portal', request.portal];
    var shown = row(platform, holder[0], holder[1]);
    return shown === null || holder[1][name] === undefined ? null : shown.getDisplayValue(name);
}

function row(platform, table, values) {
    var found = values && values.sys_id ? record.over(platform, table, {sys_id: values.sys_id}) : null;
    return found !== null && found.next() ? found : null;
}

function readable(platform, one, sysId) {
    var user = platform.context.current().user;
    var found = sysId === undefined ? null : platform.records.get(String(one), String(sysId));
    return sysId === undefined ? one.isValidRecord() && one.canRead() :
        found !== null && platform.acl.allowed(user, String(one), 'read', found, null);
}

function plain(options) {
    return options === undefined || options === null ? {} : JSON.parse(JSON.stringify(options));
}

function initials(user) {
    return String(user.name || user.user_name).split(/\s+/).map(function (word) {
        return word.charAt(0).toUpperCase();
    }).join('').slice(0, 2);
}
