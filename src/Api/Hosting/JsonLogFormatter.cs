using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Api.Hosting;

/// <summary>One flat JSON object for each entry: what an entry speaks of is a field of its own, under one name in all entries.</summary>
internal sealed class JsonLogFormatter(TimeProvider time) : ConsoleFormatter(FormatName)
{
    public const string FormatName = "gateway-json";

    private const string Template = "{OriginalFormat}";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("time", time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            json.WriteString("level", Word(logEntry.LogLevel));
            json.WriteString("logger", logEntry.Category);
            json.WriteNumber("event", logEntry.EventId.Id);
            json.WriteString("message", logEntry.Formatter(logEntry.State, logEntry.Exception));
            var written = new HashSet<string>(StringComparer.Ordinal) { "time", "level", "logger", "event", "message", "exception" };
            if (logEntry.State is IEnumerable<KeyValuePair<string, object?>> fields)
            {
                foreach (var (name, value) in fields)
                    if (name != Template) Field(json, written, JsonNamingPolicy.SnakeCaseLower.ConvertName(name), value);
            }

            if (Activity.Current is { } span)
            {
                Field(json, written, "trace_id", span.TraceId.ToString());
                Field(json, written, "span_id", span.SpanId.ToString());
            }

            if (logEntry.Exception is { } exception) json.WriteString("exception", exception.ToString());
            json.WriteEndObject();
        }

        textWriter.WriteLine(Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    private static void Field(Utf8JsonWriter json, HashSet<string> written, string name, object? value)
    {
        if (value is null or "" || !written.Add(name)) return;
        switch (value)
        {
            case Session session:
                json.WriteString(name, session.Name.ToString());
                Field(json, written, "team", session.Team);
                Field(json, written, "environment", session.Environment);
                Field(json, written, "user", session.OpenedBy);
                break;
            case bool flag:
                json.WriteBoolean(name, flag);
                break;
            case int or long:
                json.WriteNumber(name, Convert.ToInt64(value, CultureInfo.InvariantCulture));
                break;
            case double number when double.IsFinite(number):
                json.WriteNumber(name, Math.Round(number, 6));
                break;
            case Enum word:
                json.WriteString(name, JsonNamingPolicy.SnakeCaseLower.ConvertName(word.ToString()));
                break;
            default:
                json.WriteString(name, Convert.ToString(value, CultureInfo.InvariantCulture));
                break;
        }
    }

    private static string Word(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warning",
        LogLevel.Error => "error",
        _ => "critical",
    };
}
