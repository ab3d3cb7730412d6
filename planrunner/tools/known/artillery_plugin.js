// Given to Artillery as a plugin: writes each HTTP request down, as a line of JSON.
// A line is a list, of a request [end in ms since 1970, milliseconds or null, method, URL, name, status, size, error],
// of an expectation of the plugin `expect` ["check", ms since 1970, its kind, whether it held].
'use strict';

const fs = require('fs');

const file = process.env.PLANRUNNER_SAMPLES;
let lines = [];

function write() {
  if (lines.length) {
    fs.appendFileSync(file, lines.join(''));
    lines = [];
  }
}

function note(request, status, took, size, error) {
  const method = (request.method || 'GET').toUpperCase();
  const facts = [Date.now(), took, method, String(request.url || ''), request.name || ''];
  lines.push(JSON.stringify([...facts, status, size, error]) + '\n');
}

// That plugin keeps what it found in the context, before or after the other functions here run.
function noteExpectations(context) {
  for (const one of (context && context.expectations || []).slice(context && context.planrunnerSeen || 0)) {
    for (const result of one.results || []) {
      const facts = ['check', Date.now(), String(result.type), Boolean(result.ok)];
      lines.push(JSON.stringify(facts) + '\n');
    }
  }
  if (context && context.expectations) {
    context.planrunnerSeen = context.expectations.length;
  }
}

function afterScenario(context, events, next) {
  noteExpectations(context);
  return next();
}

function afterResponse(request, response, context, events, next) {
  const phases = (response.timings && response.timings.phases) || {};
  const took = phases.total === undefined ? null : phases.total;
  const size = Number((response.headers || {})['content-length']) || 0;
  note(request, response.statusCode || 0, took, size, '');
  noteExpectations(context);
  return next();
}

function onError(error, request, context, events, next) {
  noteExpectations(context);
  note(request || {}, 0, null, 0, String((error && (error.code || error.message)) || error));
  return next();
}

class Plugin {
  constructor(script) {
    // Without a worker's data this is the process that only starts the others.
    if (!file) {
      return;
    }
    script.config.processor = script.config.processor || {};
    script.config.processor.planrunnerAfterResponse = afterResponse;
    script.config.processor.planrunnerAfterScenario = afterScenario;
    script.config.processor.planrunnerOnError = onError;
    for (const scenario of script.scenarios || []) {
      scenario.afterResponse = [].concat(scenario.afterResponse || [], 'planrunnerAfterResponse');
      scenario.afterScenario = [].concat(scenario.afterScenario || [], 'planrunnerAfterScenario');
      scenario.onError = [].concat(scenario.onError || [], 'planrunnerOnError');
    }
    setInterval(write, 200).unref();
    process.on('exit', write);
  }

  cleanup(done) {
    write();
    done(null);
  }
}

module.exports = { Plugin };
