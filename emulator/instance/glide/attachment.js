/**
 * GlideSysAttachment. [c_GlideSysAttachmentScopedAPI; `get` as OOB/RESTECCResponse uses it]
 */

var attachments = require('../attachments');
var failure = require('../failure');
var record = require('./record');
var trap = require('./trap');

var MOST = 'com.glide.attachment.max_get_size';
var DEFAULT_MOST = '5242880';

/** Put GlideSysAttachment on a script's namespace. */
exports.install = function (scope, platform) {
    function GlideSysAttachment() {
        if (!(this instanceof GlideSysAttachment)) {
            throw new TypeError('GlideSysAttachment is a constructor: use new');
        }
        return Object.create(METHODS, {$: {value: {platform: platform}}});
    }
    GlideSysAttachment.prototype = METHODS;
    scope.GlideSysAttachment = GlideSysAttachment;
};

/** What a GlideRecord stands on: {table, sysId}. */
function placeOf(given) {
    if (!given || !given.$ || !given.$.values || !given.$.values.sys_id) {
        throw failure.error('GlideSysAttachment needs a GlideRecord that stands on a row');
    }
    return {table: given.$.table, sysId: given.$.values.sys_id};
}

/** What is too large to be read as text is refused; how the platform says so is not known. [KB0718589] */
function text(platform, sysId) {
    var row = platform.records.get('sys_attachment', sysId);
    var most = Number(platform.properties.get(MOST, DEFAULT_MOST));
    if (row && Number(row.size_bytes) > most) {
        throw failure.error('the attachment ' + row.file_name + ' has ' + row.size_bytes + ' bytes; ' + MOST +
            ' lets scripts read ' + most);
    }
    return attachments.text(platform, sysId);
}

/** An error of ours, because Java's would bring a Java object with it. */
function decoded(text) {
    try {
        return java.util.Base64.getDecoder().decode(text);
    } catch (error) {
        throw failure.error('writeBase64() was given text that is not base64');
    }
}

function written(attachment, given, name, contentType, bytes) {
    var place = placeOf(given);
    return attachments.write(attachment.$.platform, {
        table: place.table, sysId: place.sysId, name: String(name),
        contentType: String(contentType || 'application/octet-stream')
    }, bytes);
}

var METHODS = trap.members(Object.create(trap.create('GlideSysAttachment', unknown, unknown)), {
    /** The text of the file of that name, or null: what a field held before it was moved to an attachment. */
    get: function (given, name) {
        var place = placeOf(given);
        var found = attachments.list(this.$.platform, place.table, place.sysId, String(name))[0];
        return found ? text(this.$.platform, found.sys_id) : null;
    },
    getContent: function (given) {
        return text(this.$.platform, placeOf(given).sysId);
    },
    getContentBase64: function (given) {
        var bytes = attachments.bytes(this.$.platform, placeOf(given).sysId);
        return String(java.util.Base64.getEncoder().encodeToString(bytes));
    },
    write: function (given, name, contentType, content) {
        return written(this, given, name, contentType, attachments.encoded(content));
    },
    writeBase64: function (given, name, contentType, content) {
        return written(this, given, name, contentType, decoded(String(content)));
    },
    /** A GlideRecord over the attachments of a row. */
    getAttachments: function (table, sysId) {
        return record.over(this.$.platform, 'sys_attachment', {table_name: String(table),
            table_sys_id: String(sysId)});
    },
    copy: function (fromTable, fromId, toTable, toId) {
        var platform = this.$.platform;
        attachments.list(platform, String(fromTable), String(fromId)).forEach(function (row) {
            attachments.write(platform, {table: String(toTable), sysId: String(toId), name: row.file_name,
                contentType: row.content_type}, attachments.bytes(platform, row.sys_id));
        });
    },
    deleteAttachment: function (sysId) {
        attachments.remove(this.$.platform, String(sysId));
    },
    toString: function () {
        return '[object GlideSysAttachment]';
    },
    valueOf: function () {
        return this;
    }
});

function unknown(attachment, name) {
    throw failure.error('GlideSysAttachment has no member ' + name + ' here');
}
