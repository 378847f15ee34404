using SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes.Diagnosis;

/// <summary>Other people's words in an error of ours.</summary>
public sealed class ShownTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("  two  words\t\r\n and a line \n", "two words and a line")]
    [InlineData("\u001b[31mred\u0007", "?[31mred?")]
    [InlineData("a\ud83d\ude00b", "a??b")]
    [InlineData("größer\u00a0als", "größer als")]
    [InlineData("at jdbc:postgresql://u:hunter2@db/x", "at jdbc:postgresql://***@db/x")]
    public void Words_AreOneHarmlessLine(string text, string expected) => Assert.Equal(expected, Shown.Words(text));

    [Theory]
    [InlineData(10, "xxxxxxxxxx")]
    [InlineData(11, "xxxxxxxxxx...")]
    public void Words_LongerThanAllowed_AreCutAndSaySo(int length, string expected) => Assert.Equal(expected, Shown.Words(new string('x', length), 10));

    [Fact]
    public void Words_WithoutAnotherBound_HaveFourHundredCharacters() => Assert.Equal(403, Shown.Words(new string('x', 50_000)).Length);

    [Theory]
    [InlineData("", "")]
    [InlineData(" \n", "")]
    [InlineData("no room.", " (no room)")]
    [InlineData("no room", " (no room)")]
    public void InBrackets_OfNothing_IsNothing(string text, string expected) => Assert.Equal(expected, Shown.InBrackets(text));
}
