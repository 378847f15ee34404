using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;

namespace SparkGateway.Testing.Fakes;

/// <summary>Fake time that says when a timer was made: only then may a test step past it.</summary>
public sealed class WatchedTime : FakeTimeProvider
{
    private readonly Channel<TimeSpan> made = Channel.CreateUnbounded<TimeSpan>();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        made.Writer.TryWrite(dueTime);
        return timer;
    }

    /// <summary>Waits until a timer of that length was made since the last question.</summary>
    public async Task TimerAsync(TimeSpan dueTime, CancellationToken cancellation)
    {
        while (await made.Reader.ReadAsync(cancellation) != dueTime)
        {
        }
    }
}
