namespace SparkGateway.Testing.Http2;

/// <summary>How long a test waits before it says what did not come.</summary>
public static class Deadlines
{
    /// <summary>For peers on this machine that only have to answer; generous, since test projects share two cores.</summary>
    public static readonly TimeSpan Wait = TimeSpan.FromSeconds(30);

    /// <summary>For the transfer of the largest messages.</summary>
    public static readonly TimeSpan Transfer = TimeSpan.FromMinutes(2);

    /// <summary>Between two looks at something that cannot tell of its changes, such as /proc.</summary>
    public static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    public static async Task<T> Within<T>(this Task<T> task, string what, TimeSpan? limit = null)
    {
        try
        {
            return await task.WaitAsync(limit ?? Wait, TimeProvider.System);
        }
        catch (TimeoutException)
        {
            throw Late(what, limit ?? Wait);
        }
    }

    public static async Task Within(this Task task, string what, TimeSpan? limit = null)
    {
        try
        {
            await task.WaitAsync(limit ?? Wait, TimeProvider.System);
        }
        catch (TimeoutException)
        {
            throw Late(what, limit ?? Wait);
        }
    }

    /// <summary>Looks until the condition holds.</summary>
    public static async Task UntilAsync(string what, Func<Task<bool>> condition, TimeSpan? limit = null)
    {
        using var late = new CancellationTokenSource(limit ?? Wait);
        using var timer = new PeriodicTimer(Look);
        while (!await condition())
        {
            try
            {
                await timer.WaitForNextTickAsync(late.Token);
            }
            catch (OperationCanceledException)
            {
                throw Late(what, limit ?? Wait);
            }
        }
    }

    public static Task UntilAsync(string what, Func<bool> condition, TimeSpan? limit = null) =>
        UntilAsync(what, () => Task.FromResult(condition()), limit);

    public static TimeoutException Late(string what, TimeSpan limit) => new($"Not within {limit.TotalSeconds:0.#} s: {what}.");
}
