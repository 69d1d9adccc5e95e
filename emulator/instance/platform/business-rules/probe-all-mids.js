(function executeRule(current) {
    var COPIED = ['topic', 'name', 'source', 'queue', 'payload', 'priority', 'agent_correlator'];
    var agent = new GlideRecord('ecc_agent');
    var original = new GlideRecord('ecc_queue');

    function copyFor(name) {
        var copy = new GlideRecord('ecc_queue');
        copy.initialize();
        COPIED.forEach(function (field) { copy.setValue(field, current.getValue(field)); });
        copy.setValue('agent', 'mid.server.' + name);
        copy.setValue('state', 'ready');
        copy.insert();
    }

    agent.addQuery('status', 'Up');
    agent.addQuery('validated', 'true');
    agent.query();
    while (agent.next()) {
        copyFor('' + agent.name);
    }
    if (original.get(current.getUniqueValue())) {
        original.setValue('state', 'processed');
        original.update();
    }
})(current);
