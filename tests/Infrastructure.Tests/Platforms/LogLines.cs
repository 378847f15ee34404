using Microsoft.Extensions.Logging;

namespace SparkGateway.Infrastructure.Tests.Platforms;

/// <summary>Everything that was logged, as lines.</summary>
internal sealed class LogLines
{
    private readonly Lock gate = new();
    private readonly List<string> lines = [];
    private readonly List<(string Part, TaskCompletionSource Seen)> waiters = [];

    public string Text
    {
        get
        {
            lock (gate) return string.Join('\n', lines);
        }
    }

    /// <summary>Completes when a line with that text has been logged.</summary>
    public Task Seen(string part)
    {
        lock (gate)
        {
            if (lines.Any(line => line.Contains(part, StringComparison.Ordinal))) return Task.CompletedTask;
            var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            waiters.Add((part, seen));
            return seen.Task.WaitAsync(LocalHarness.Patience);
        }
    }

    public ILoggerFactory Factory => new Loggers(this);

    public ILogger<T> For<T>() => new Typed<T>(this);

    private void Add(string line)
    {
        lock (gate)
        {
            lines.Add(line);
            foreach (var (_, seen) in waiters.Where(waiter => line.Contains(waiter.Part, StringComparison.Ordinal))) seen.TrySetResult();
        }
    }

    private sealed class Typed<T>(LogLines owner) : ILogger<T>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            owner.Add($"{logLevel}: {formatter(state, exception)}");
        }
    }

    private sealed class Loggers(LogLines owner) : ILoggerFactory
    {
        public ILogger CreateLogger(string categoryName) => owner.For<LogLines>();

        public void AddProvider(ILoggerProvider provider)
        {
            // There is one.
        }

        public void Dispose()
        {
            // Holds nothing.
        }
    }
}
