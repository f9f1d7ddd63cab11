// Sends a log record, a span and a metric through each exporter of the OpenTelemetry SDK, plain and gzipped, to
// export.mjs URL PREFIX. Prints a JSON array of what was sent, [{protocol, signal, compression, session, errors}]; whatever
// the SDK reports or warns of while an exporter is at work is an error of that exporter.
import { diag, DiagLogLevel, SpanKind } from '@opentelemetry/api';
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import { OTLPLogExporter as LogsGrpc } from '@opentelemetry/exporter-logs-otlp-grpc';
import { OTLPLogExporter as LogsJson } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as LogsProto } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter as MetricsGrpc } from '@opentelemetry/exporter-metrics-otlp-grpc';
import { OTLPMetricExporter as MetricsJson } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as MetricsProto } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as TracesGrpc } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as TracesJson } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as TracesProto } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';

const EXPORTERS = {
  'grpc': { logs: LogsGrpc, traces: TracesGrpc, metrics: MetricsGrpc },
  'http/protobuf': { logs: LogsProto, traces: TracesProto, metrics: MetricsProto },
  'http/json': { logs: LogsJson, traces: TracesJson, metrics: MetricsJson },
};

const resource = resourceFromAttributes({ 'service.name': 'otel-js-agent', 'service.version': '1.2.3' });

function call(session) {
  return {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.conversation.id': session,
    'session.id': session,
    'gen_ai.request.model': 'gpt-6',
    'gen_ai.response.model': 'gpt-6-2026-09-01',
    'gen_ai.response.id': `resp-${session}`,
    'gen_ai.usage.input_tokens': 120,
    'gen_ai.usage.output_tokens': 30,
    'gen_ai.response.finish_reasons': ['stop'],
  };
}

// Each makes a provider around the exporter, and something for it to send.
const SIGNALS = {
  logs(exporter, session) {
    const provider = new LoggerProvider({ resource, processors: [new BatchLogRecordProcessor({ exporter })] });
    provider.getLogger('agent').emit({
      eventName: 'gen_ai.client.inference.operation.details',
      severityText: 'INFO',
      body: { nested: ['a', 1, true, null, { deep: 0.5 }] },
      attributes: call(session),
    });
    return provider;
  },
  traces(exporter, session) {
    const provider = new BasicTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(exporter)] });
    const span = provider.getTracer('agent').startSpan('chat gpt-6', { kind: SpanKind.CLIENT, attributes: call(session) });
    span.addEvent('first token', { 'at.ms': 12 });
    span.end();
    return provider;
  },
  metrics(exporter, session) {
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 60_000 });
    const provider = new MeterProvider({ resource, readers: [reader] });
    const meter = provider.getMeter('agent');
    const attributes = { 'session.id': session, 'gen_ai.token.type': 'input' };
    meter.createHistogram('gen_ai.client.token.usage', { unit: '{token}' }).record(120, attributes);
    meter.createCounter('agent.calls').add(1, attributes);
    meter.createObservableGauge('agent.load').addCallback((result) => result.observe(0.25));
    return provider;
  },
};

let errors = [];
const note = (...words) => errors.push(words.map((w) => (w instanceof Error ? `${w.name}: ${w.message}` : String(w))).join(' '));
const quiet = () => {};
diag.setLogger({ error: note, warn: note, info: quiet, debug: quiet, verbose: quiet }, { logLevel: DiagLogLevel.WARN });

// The SDK passes the exporter's own result on to nobody.
function watched(exporter) {
  const send = exporter.export.bind(exporter);
  exporter.results = 0;
  exporter.export = (items, done) => send(items, (result) => {
    exporter.results++;
    if (result.code !== 0) note('export failed:', result.error ?? result.code);
    done(result);
  });
  return exporter;
}

async function send(url, protocol, signal, compression, session) {
  const Exporter = EXPORTERS[protocol][signal];
  const target = protocol === 'grpc' ? url : `${url}/v1/${signal}`;
  const exporter = watched(new Exporter({ url: target, compression, timeoutMillis: 10_000 }));
  errors = [];
  try {
    const provider = SIGNALS[signal](exporter, session);
    await provider.forceFlush();
    await provider.shutdown();
  } catch (e) {
    note('thrown:', e);
  }
  if (exporter.results === 0) note('nothing was exported');
  return { protocol, signal, compression, session, errors };
}

const [url, prefix] = process.argv.slice(2);
const sent = [];
for (const protocol of Object.keys(EXPORTERS)) {
  for (const signal of Object.keys(SIGNALS)) {
    for (const compression of [CompressionAlgorithm.NONE, CompressionAlgorithm.GZIP]) {
      const session = `${prefix}-${protocol.replace('/', '-')}-${signal}-${compression}`;
      sent.push(await send(url, protocol, signal, compression, session));
    }
  }
}
console.log(JSON.stringify(sent));
