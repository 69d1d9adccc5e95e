(function executeRule(current) {
    var agent = new GlideRecord('ecc_agent');
    var input = new GlideRecord('ecc_queue');
    if (agent.get('name', ('' + current.agent).replace('mid.server.', ''))) {
        agent.setValue('status', 'Up');
        agent.setValue('last_refreshed', new GlideDateTime().getValue());
        agent.update();
    }
    if (input.get(current.getUniqueValue())) {
        input.setValue('state', 'processed');
        input.update();
    }
})(current);
