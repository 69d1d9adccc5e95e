// Writes an output for a MID Server. Scripts of an application name it global.JavascriptProbe.
// [c_JavascriptProbeAPI]
var JavascriptProbe = Class.create();

JavascriptProbe.prototype = {
    initialize: function (midServer) {
        this.midServer = '' + midServer;
        this.name = 'JavascriptProbe';
        this.source = '';
        this.parameters = [];
    },

    setName: function (name) {
        this.name = '' + name;
    },

    setSource: function (source) {
        this.source = '' + source;
    },

    addParameter: function (name, value) {
        this.parameters.push({name: '' + name, value: '' + value});
    },

    setJavascript: function (script) {
        this.addParameter('script', script);
    },

    // Out-of-box code answers the sys_id, the documentation says nothing: do not depend on it.
    create: function () {
        var output = new GlideRecord('ecc_queue');
        output.initialize();
        output.setValue('agent', 'mid.server.' + this.midServer);
        output.setValue('topic', 'JavascriptProbe');
        output.setValue('name', this.name);
        output.setValue('source', this.source);
        output.setValue('queue', 'output');
        output.setValue('state', 'ready');
        output.setValue('payload', this._payload());
        return output.insert();
    },

    _payload: function () {
        var escaped = this._escaped;
        return '<parameters>' + this.parameters.map(function (parameter) {
            return '<parameter name="' + escaped(parameter.name) + '" value="' +
                escaped(parameter.value) + '"/>';
        }).join('') + '</parameters>';
    },

    // A line break in an attribute would be read as a space.
    _escaped: function (text) {
        return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')
            .replace(/\r/g, '&#13;').replace(/\n/g, '&#10;').replace(/\t/g, '&#9;');
    },

    type: 'JavascriptProbe'
};
