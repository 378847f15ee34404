namespace SparkGateway.Testing.Http2;

/// <summary>Wakes whoever waits for a condition each time the state behind it has changed.</summary>
public sealed class Signal
{
    private TaskCompletionSource source = New();

    public void Pulse() => Interlocked.Exchange(ref source, New()).TrySetResult();

    /// <summary>Waits until the condition holds; it may throw to say that it never will.</summary>
    public async Task WaitAsync(Func<bool> condition, Func<string> what, TimeSpan? limit = null)
    {
        using var late = new CancellationTokenSource(limit ?? Deadlines.Wait);
        while (true)
        {
            var change = Volatile.Read(ref source).Task;
            if (condition()) return;
            try
            {
                await change.WaitAsync(late.Token);
            }
            catch (OperationCanceledException)
            {
                if (condition()) return;
                throw Deadlines.Late(what(), limit ?? Deadlines.Wait);
            }
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
