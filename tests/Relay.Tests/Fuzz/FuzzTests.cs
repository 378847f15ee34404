namespace SparkGateway.Relay.Tests.Fuzz;

/// <summary>
/// Conversations of real kinds of peers, and what becomes of them when bytes are changed: the relay never throws, speaks
/// HTTP/2 to both sides, holds no more than its windows, and has nothing left in its books when the client leaves.
/// A found input is kept in Corpus as a file of its own.
/// </summary>
public sealed class FuzzTests
{
    private const int Rounds = 4000;

    public static TheoryData<int> Recorded() => [.. Enumerable.Range(0, Conversation.Corpus.Count)];

    [Theory]
    [MemberData(nameof(Recorded))]
    public void AnySplit_OfTheInput_SaysTheSame(int recorded)
    {
        var conversation = Conversation.Corpus[recorded];
        var whole = Replay.Play(conversation, length => length);
        var expected = whole.Said();
        whole.Finish();
        foreach (var piece in new[] { 1, 2, 3, 9, 10, 100 }) Assert.Equal(expected, Replay.Play(conversation, _ => piece).Said());
        for (var seed = 0; seed < 10; seed++)
        {
            var random = new Random(seed);
            Assert.Equal(expected, Replay.Play(conversation, length => random.Next(1, Math.Min(length, 3000) + 1)).Said());
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void AnyInput_LeavesTheBooksInOrder(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < Rounds; round++)
        {
            var conversation = Mutator.Change(Conversation.Corpus[random.Next(Conversation.Corpus.Count)], random);
            var isWhole = random.Next(2) == 0;
            try
            {
                Replay.Play(conversation, length => isWhole ? length : random.Next(1, length + 1)).Finish();
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}, round {round}; keep it as a file of Corpus:\n{conversation}", e);
            }
        }
    }
}
