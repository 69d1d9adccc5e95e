(function process(request, response) {
    new ClaudeTerminalRest(request, response).reply(202, function (api, call) {
        return api.resize(call.path('id'), call.body());
    });
})(request, response);
