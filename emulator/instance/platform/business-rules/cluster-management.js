(function executeRule(current) {
    var STAYS = ['Command', 'SystemCommand', 'HeartbeatProbe'];
    var name = ('' + current.agent).replace('mid.server.', '');

    function isUp(agent) {
        return '' + agent.status === 'Up' && '' + agent.validated === 'true';
    }

    // The members of a cluster that could take work, in their order.
    function members(cluster) {
        var found = [];
        var member = new GlideRecord('ecc_agent_cluster_member_m2m');
        var agent;
        member.addQuery('cluster', cluster);
        member.orderBy('order');
        member.query();
        while (member.next()) {
            agent = new GlideRecord('ecc_agent');
            if (agent.get('' + member.agent) && isUp(agent)) {
                found.push('' + agent.name);
            }
        }
        return found;
    }

    function reroute(agent, type, cluster) {
        var others = members(cluster);
        if (others.length === 0 || (type === 'Failover' && isUp(agent))) {
            return;
        }
        current.setValue('agent', 'mid.server.' +
            (type === 'Failover' ? others[0] : others[Math.floor(Math.random() * others.length)]));
    }

    function apply() {
        var agent = new GlideRecord('ecc_agent');
        var member = new GlideRecord('ecc_agent_cluster_member_m2m');
        var cluster = new GlideRecord('ecc_agent_cluster');
        if (!agent.get('name', name)) {
            return;
        }
        member.addQuery('agent', agent.getUniqueValue());
        member.query();
        if (member.next() && cluster.get('' + member.cluster)) {
            reroute(agent, '' + (cluster.cluster_type.nil() ? cluster.type : cluster.cluster_type),
                cluster.getUniqueValue());
        }
    }

    if (STAYS.indexOf('' + current.topic) < 0) {
        apply();
    }
})(current);
