(function executeRule(current) {
    var EVENTS = {
        Up: 'mid_server.up', Down: 'mid_server.down', Paused: 'mid_server.paused',
        Upgrading: 'mid_server.upgrading'
    };
    var status = '' + current.status;
    if (EVENTS.hasOwnProperty(status)) {
        gs.eventQueue(EVENTS[status], current, '' + current.name, current.getUniqueValue());
    }
})(current);
