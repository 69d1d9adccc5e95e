(function process(request, response) {
    new ClaudeTerminalRest(request, response).reply(202, function (api, call) {
        return api.health(call.path('name'), call.body());
    });
})(request, response);
